"""Every driver counts real packets for the labels that the table of cases and the reference say."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.spec.cases import CASES, Case
from tests.spec.strategies import label_sets, passages
from tests.support.kernel.metering import TOTAL, expect, meter
from tests.support.kernel.router import Router, is_forwarded
from tests.support.tools import needs
from venturi.adapters.drivers.protocol import Driver
from venturi.core.classify.reference import Passage
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip")]


def passage_of(case: Case) -> Passage:
    """Give the packet of a case."""
    (family, source), (_, destination) = parse_address(case.source), parse_address(case.destination)
    return Passage(case.direction, family, source, destination)


FORWARDED_CASES = [case for case in CASES if is_forwarded(passage_of(case))]


@pytest.mark.parametrize("case", FORWARDED_CASES, ids=[case.name for case in FORWARDED_CASES])
def test_case(case: Case, router: Router, driver: Driver) -> None:
    counted = meter(driver, router.metered(), case.labels, [passage_of(case)], router.send)
    assert {label for label, _ in counted} == {TOTAL, *case.counted}
    assert set(counted.values()) == {(1, 60)}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=label_sets(), packets=st.lists(passages(), min_size=1, max_size=30))
def test_any_rules_and_any_packets(labels: list[LabelWithRules], packets: list[Passage], router: Router, driver: Driver) -> None:
    forwarded = [packet for packet in packets if is_forwarded(packet)]
    assert meter(driver, router.metered(), labels, forwarded, router.send) == expect(labels, forwarded)


def test_most_cases_can_be_forwarded() -> None:
    """Only unknown directions and addresses of no host keep a case from the kernel."""
    assert len(FORWARDED_CASES) > 0.7 * len(CASES)
