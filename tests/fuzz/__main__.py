"""``make fuzz``: draws new examples for the properties of decoders and arithmetic until the time is up.

Owns the share of time of each target and the seeds. The properties are those of ``tests/property``; where atheris can be had, its
targets run, too. What fails on octets is kept as a case (``keeping``); another failing example is printed, to be kept as an ``@example``.
"""

import argparse
import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

from tests.fuzz.keeping import CASES, RUN_VARIABLE

ROOT = Path(__file__).parents[2]
EXAMPLES = 200
"""Examples of each property in a round."""

SLICE = 60
"""Seconds of an atheris target in a round, at most."""

_DECODERS = [
    Path("tests/property/test_capture_fuzz.py"),
    Path("tests/property/test_export_fuzz.py"),
    Path("tests/unit/flow_records/test_flow_records.py"),
]
_NOT_DRAWN = Path("tests/property/test_kept_cases.py")
_OTHERS = {path.relative_to(ROOT) for path in (ROOT / "tests" / "property").glob("test_*.py")}.difference([*_DECODERS, _NOT_DRAWN])
_COVERED = {"captures": "tests.fuzz.capture_fuzz", "exports": "tests.fuzz.export_fuzz"}
_HIGHEST_SEED = 1 << 31
_SHOWN = 20_000
_LONGEST_END = 60


def main() -> int:
    """Run round after round; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(_HIGHEST_SEED))
    options = parser.parse_args()
    _say(f'seed {options.seed}; again: make fuzz ARGS="--minutes {options.minutes:g} --seed {options.seed}"')
    deadline = time.monotonic() + options.minutes * 60
    failed: list[str] = []
    for turn in count():
        for command in _commands((options.seed + turn) % _HIGHEST_SEED):
            left = deadline - time.monotonic()
            if left <= 1:
                return close_run(failed, turn)
            if not run_target(command, left, f"seed-{options.seed}-round-{turn}"):
                failed.append(" ".join(command[1:]))
    raise AssertionError


def _commands(seed: int) -> list[list[str]]:
    """List the targets of a round, each as a command."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-n0", "--timeout=0", "-m", "hypothesis", f"--hypothesis-seed={seed}"]
    commands = [[*pytest, str(path)] for path in (*_DECODERS, *sorted(_OTHERS))]
    if importlib.util.find_spec("atheris") is None:
        _say("atheris is not installed: only the properties are drawn")
        return commands
    for kind, module in _COVERED.items():
        (CASES / kind).mkdir(parents=True, exist_ok=True)
        limits = [f"-max_total_time={SLICE}", "-timeout=60", "-report_slow_units=600", "-verbosity=0"]
        commands.insert(0, [sys.executable, "-m", module, f"-seed={seed or 1}", f"-artifact_prefix={CASES / kind}/", *limits])
    return commands


def run_target(command: list[str], seconds: float, run: str) -> bool:
    """Run a target for at most ``seconds``; tell whether nothing failed, also not in an example that it had no time to make smaller."""
    before = _list_cases()
    _say(f"{run}: {' '.join(command[2:])}")
    environment = {**os.environ, RUN_VARIABLE: run, "VENTURI_FUZZ_EXAMPLES": str(EXAMPLES)}
    for name in ("CI", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            output, _ = process.communicate(timeout=seconds)
            failed = process.returncode != 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # a target that is told to end still reports what failed
            output, _ = _last_words(process)
            failed = "FAILED" in output
    failed |= _list_cases() != before
    if failed:
        _say(output[-_SHOWN:])
    return not failed


def _list_cases() -> set[Path]:
    return set(CASES.glob("*/*"))


def _last_words(process: "subprocess.Popen[str]") -> tuple[str, str]:
    try:
        return process.communicate(timeout=_LONGEST_END)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def close_run(failed: list[str], turns: int) -> int:
    """Say what failed, and give the code of the program: 1 if anything did."""
    for target in failed:
        _say(f"failed: {target}")
    _say(f"{turns} whole rounds, {len(failed)} failures" + (f"; cases are in {CASES}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
