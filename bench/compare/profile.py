"""Where the time goes: each stage of metering in nanoseconds per record, or in seconds where it does not depend on the records."""

import json
import sys
import tempfile
from pathlib import Path

from bench.inputs.catalogue import Inputs
from bench.measure.processes import read_through, run_program
from bench.scale import LABELLED_PREFIXES

PER_RECORD = ("read", "decode", "direction", "classify", "sum")
PER_RUN = ("rules file", "compile the rules", "settle")

Profile = dict[str, float]


def profile_all(inputs: Inputs) -> dict[str, Profile]:
    """Profile the exports and the captures of packets; give the stages by input."""
    profiles = {}
    for protocol in ("netflow-v9", "ipfix"):
        paths = (inputs.export(protocol, tiny=True), inputs.export(protocol), inputs.rules(4, LABELLED_PREFIXES))
        profiles[protocol] = _profile(inputs, paths, "flows")
    for family in (4, 6):
        paths = (inputs.packets(family, tiny=True), inputs.packets(family), inputs.rules(family, LABELLED_PREFIXES))
        profiles[f"IPv{family} packets"] = _profile(inputs, paths, "packets")
    return profiles


def _profile(inputs: Inputs, paths: tuple[Path, Path, Path], kind: str) -> Profile:
    read_through(paths)
    command = [sys.executable, "-m", "bench.measure.stages", *map(str, paths), kind]
    with tempfile.TemporaryDirectory() as kernels:
        seconds: Profile = json.loads(run_program(command, {"NUMBA_CACHE_DIR": kernels}).output)
    records = inputs.totals()[paths[1].name]["records"]
    return {stage: seconds[stage] * (1e9 / records if stage in PER_RECORD else 1) for stage in (*PER_RECORD, *PER_RUN)}
