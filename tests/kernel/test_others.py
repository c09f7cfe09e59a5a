"""Every driver counts what iptables counts where labels count once."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.spec.strategies import label_sets, passages
from tests.support.kernel import iptables
from tests.support.kernel.metering import meter
from tests.support.kernel.router import Router, is_forwarded
from tests.support.tools import needs
from venturi.adapters.drivers.protocol import Driver
from venturi.core.classify.reference import Passage
from venturi.core.domain.label import LabelWithRules

pytestmark = [pytest.mark.root, needs("ip", "iptables")]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=label_sets(), packets=st.lists(passages(), min_size=1, max_size=30))
def test_iptables(labels: list[LabelWithRules], packets: list[Passage], router: Router, driver: Driver) -> None:
    forwarded = [packet for packet in packets if is_forwarded(packet)]
    iptables.install(router.namespace, labels)
    counted = meter(driver, router.metered(), labels, forwarded, router.send)
    numbers = {entry.label.id: str(number) for number, entry in enumerate(labels)}
    assert {(numbers[name], direction): counts for (name, direction), counts in counted.items() if name} == iptables.read(router.namespace)
