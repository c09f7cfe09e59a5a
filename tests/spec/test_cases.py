"""Every engine gives what the table of cases says."""

import pytest

from tests.spec.cases import CASES, PART_CASES, Case, PartCase
from tests.spec.engines import ENGINES, PARTITIONS, Engine
from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.domain.prefix import parse_address


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: Case, engine: Engine) -> None:
    """The labels named in the case count the packet, each once, and no others."""
    family, source = parse_address(case.source)
    _, destination = parse_address(case.destination)
    assert engine(case.labels, [Passage(case.direction, family, source, destination)]) == [list(case.counted)]


@pytest.mark.parametrize("engine", sorted(PARTITIONS))
@pytest.mark.parametrize("case", PART_CASES, ids=[case.name for case in PART_CASES])
def test_part(case: PartCase, engine: str) -> None:
    """The projects named in the case used the packet, and it is in one part."""
    family, source = parse_address("10.0.0.1")
    _, destination = parse_address("203.0.113.1")
    packet = Passage(Direction.EGRESS, family, source, destination)
    assert PARTITIONS[engine](case.labels, [packet]) == [(list(case.used), case.part)]
