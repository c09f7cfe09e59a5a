"""What a check once failed on, by hand or by ``make fuzz``, is decoded or refused for good."""

from pathlib import Path

import pytest

from tests.fuzz.keeping import CASES, Check
from tests.property import test_capture_fuzz, test_export_fuzz
from tests.unit.flow_records.test_flow_records import read_or_refuse

CHECKS: dict[str, Check] = {
    "captures": test_capture_fuzz.decode_all,
    "exports": test_export_fuzz.decode_all,
    "flow_records": read_or_refuse,
}
KEPT = sorted(CASES.glob("*/*"))


def test_every_kind_has_cases() -> None:
    assert {case.parent.name for case in KEPT} == CHECKS.keys()


@pytest.mark.parametrize("case", KEPT, ids=[f"{case.parent.name}-{case.name}" for case in KEPT])
def test_a_kept_case(case: Path) -> None:
    CHECKS[case.parent.name](case.read_bytes())
