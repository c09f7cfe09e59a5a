"""``make fuzz`` ends by a code that says whether anything failed, and keeps what failed as a case."""

import sys
from pathlib import Path

import pytest

from tests.fuzz import __main__ as fuzz

CHECK = """
import time
from tests.fuzz.keeping import keeps_failures

@keeps_failures("octets")
def check(octets):
    assert octets != b"bad"
    if octets == b"slow":
        time.sleep(60)

def call(octets):
    try:
        check(octets)
    except AssertionError:
        pass

"""
TARGETS = {
    "what passes": ("call(b'good')", True, {}),
    "what fails": ("check(b'bad')", False, {"run": b"bad"}),
    "what fails otherwise": ("raise SystemExit(3)", False, {}),
    "what the time is up for": ("check(b'slow')", True, {}),
    "what failed before the time was up": ("call(b'bad'); check(b'slow')", False, {"run": b"bad"}),
    "two properties": (
        "import os\nfor name in 'ab':\n os.environ['PYTEST_CURRENT_TEST'] = f'tests/x.py::test_{name} (call)'; call(b'bad')",
        False,
        {"run-test_a": b"bad", "run-test_b": b"bad"},
    ),
}


@pytest.mark.parametrize(("lines", "passes", "kept"), TARGETS.values(), ids=TARGETS)
def test_a_target(lines: str, passes: bool, kept: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "CASES", tmp_path)
    monkeypatch.setenv("VENTURI_FUZZ_CASES", str(tmp_path))
    assert fuzz.run_target([sys.executable, "-c", CHECK + lines], 6, "run") is passes
    assert {case.name: case.read_bytes() for case in tmp_path.glob("octets/*")} == kept


def test_a_finding_is_the_code_at_the_end() -> None:
    assert fuzz.close_run([], 3) == 0
    assert fuzz.close_run(["a target"], 3) == 1
