"""``python -m bench``: measures venturi and its peers side by side, and prints ratios against the targets.

Owns the options and the order of the groups.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence

from bench.compare.agent import compare_agent
from bench.compare.captures import compare_captures
from bench.compare.control import compare_control
from bench.compare.dataplane import compare_dataplane
from bench.compare.exports import compare_exports, find_reader
from bench.compare.ledger import compare_ledger
from bench.compare.memory import compare_memory
from bench.compare.profile import profile_all
from bench.compare.programs import Programs
from bench.compare.questions import compare_questions
from bench.compare.starting import compare_starting
from bench.compare.targets import Results
from bench.inputs.catalogue import Inputs, find_inputs
from bench.machine import describe_machine, describe_versions
from bench.report import write_profiles, write_results
from bench.scale import SCALES, Scale

METERING_GROUPS = ("start", "exports", "memory", "captures", "profile")
"""The groups that meter the inputs."""

OTHER_GROUPS: Mapping[str, Callable[[Scale, int], Results]] = {
    "control": compare_control,
    "dataplane": compare_dataplane,
    "ledger": compare_ledger,
    "questions": compare_questions,
    "agent": compare_agent,
}
"""The groups that make what they need themselves, and what measures them."""

GROUPS = (*METERING_GROUPS, *OTHER_GROUPS)


def main() -> None:
    """Measure the groups that were asked for."""
    options = _read_options()
    began = time.monotonic()
    scale = SCALES[options.scale]
    for line in (*describe_machine(), describe_versions(), f"scale {options.scale}, medians of {options.runs}"):
        print(line)
    print()
    metering = set(options.only) & set(METERING_GROUPS)
    results = _compare(find_inputs(scale), options.only, options.runs) if metering else Results()
    for name, compare in OTHER_GROUPS.items():
        if name in options.only:
            results.extend(compare(scale, options.runs))
    print(write_results(results))
    if "profile" in options.only:
        print(f"\n{write_profiles(profile_all(find_inputs(scale)))}")
    met = sum(target.met for target in results.targets)
    print(f"\n{met} of {len(results.targets)} targets met; {time.monotonic() - began:.0f} s")


def _compare(inputs: Inputs, groups: Sequence[str], runs: int) -> Results:
    programs = Programs(inputs)
    results = Results()
    if "start" in groups:
        results.extend(compare_starting(inputs, programs, runs))
    if "exports" in groups:
        results.extend(compare_exports(inputs, programs, runs))
    if "memory" in groups:
        reader = find_reader(results.figures, inputs, programs, runs)
        results.extend(compare_memory(inputs.scale, runs, reader))
    if "captures" in groups:
        results.extend(compare_captures(inputs, programs, runs))
    return results


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure venturi and its peers on the same input.")
    parser.add_argument("--scale", choices=SCALES, default="full", help="how much is measured (default: full)")
    parser.add_argument("--runs", type=int, default=5, help="how often each program runs (default: 5)")
    parser.add_argument("--only", choices=GROUPS, action="append", help="measure this group alone; may be given again")
    options = parser.parse_args()
    options.only = options.only or GROUPS
    if options.runs < 1:
        parser.error("--runs is at least 1")
    return options


if __name__ == "__main__":
    main()
