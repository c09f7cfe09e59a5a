"""Every engine gives what the table of cases says."""

import pytest

from tests.spec.cases import CASES, Case
from tests.spec.engines import ENGINES, Engine
from venturi.core.classify.reference import Passage
from venturi.core.domain.prefix import parse_address


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: Case, engine: Engine) -> None:
    """The labels named in the case count the packet, each once, and no others."""
    family, source = parse_address(case.source)
    _, destination = parse_address(case.destination)
    assert engine(case.labels, [Passage(case.direction, family, source, destination)]) == [list(case.counted)]
