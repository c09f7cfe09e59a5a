"""Classifying alone, in memory: against reading flows at all, and against numpy's search."""

import json
import sys

from bench.compare.targets import Results, Target
from bench.measure.processes import Figures, run_program
from bench.scale import LABELLED_PREFIXES, PREFIX_COUNTS, Scale


def compare_memory(scale: Scale, runs: int, reader: Figures | None) -> Results:
    """Measure both searches in a process of their own; ``reader`` is nfdump reading the same flows."""
    told = json.loads(run_program([sys.executable, "-m", "bench.measure.in_memory", scale.name, str(runs)]).output)
    rates = {(row["name"], row["prefixes"], row["threads"]): float(row["rate"]) for row in told}
    named = [(f"classify in memory, {name}, {prefixes:,} prefixes, threads: {n}", rate) for (name, prefixes, n), rate in rates.items()]
    targets = []
    if reader is not None:
        for threads in (1, 2):
            share = rates["venturi", LABELLED_PREFIXES, threads] / reader.wall_rate
            targets.append(Target(f"classify in memory, 10,000 prefixes, threads: {threads}: against nfdump's reading", share, 1))
    most = PREFIX_COUNTS[-1]
    share = rates["venturi", most, 1] / rates["numpy", most, 1]
    targets.append(Target("classify in memory, 100,000 prefixes, threads: 1: against numpy.searchsorted", share, 5))
    return Results(rates=named, targets=targets)
