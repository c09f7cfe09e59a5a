"""Directions: interfaces declared outside first, then information element 61, then the inside prefixes."""

from typing import NamedTuple

import pytest

from venturi.core.classify.directions import gather_evidence, tell_directions
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.flow_batch import NO_FLOW_DIRECTION, NO_INTERFACE, FlowBatch
from venturi.core.domain.prefix import Prefix, parse_address

_NONE = NO_FLOW_DIRECTION
_INSIDE = (Prefix.parse("10.0.0.0/8"), Prefix.parse("2001:db8::/32"))
_OUTSIDE = ((0, 7), (0, 8), (2, 7))


class Case(NamedTuple):
    """A flow of an exporter, and the direction that it passes in."""

    name: str
    code: DirectionCode
    exporter: int = 1
    interfaces: tuple[int, int] = (NO_INTERFACE, NO_INTERFACE)
    element_61: int = _NONE
    addresses: tuple[str, str] = ("10.0.0.1", "192.0.2.1")


_CASES = (
    Case("input outside", DirectionCode.INGRESS, 0, (7, 1)),
    Case("output outside", DirectionCode.EGRESS, 0, (1, 8)),
    Case("both outside", DirectionCode.BOTH, 0, (7, 8)),
    Case("neither outside", DirectionCode.NOT_CROSSING, 0, (1, 2)),
    Case("input outside, metered at ingress", DirectionCode.INGRESS, 0, (7, 1), 0),
    Case("input outside, metered at egress: a duplicate", DirectionCode.DUPLICATE_EXPORT, 0, (7, 1), 1),
    Case("output outside, metered at egress", DirectionCode.EGRESS, 0, (1, 7), 1),
    Case("output outside, metered at ingress: a duplicate", DirectionCode.DUPLICATE_EXPORT, 0, (1, 7), 0),
    Case("both outside, metered at ingress: that side only", DirectionCode.INGRESS, 0, (7, 8), 0),
    Case("both outside, metered at egress: that side only", DirectionCode.EGRESS, 0, (7, 8), 1),
    Case("an interface is outside at its own exporter only", DirectionCode.EGRESS, 1, (7, 8)),
    Case("the last exporter that declares", DirectionCode.INGRESS, 2, (7, 8)),
    Case("an exporter beyond all that declare", DirectionCode.EGRESS, 3, (7, 8)),
    Case("element 61 before the inside prefixes", DirectionCode.INGRESS, element_61=0),
    Case("element 61, egress", DirectionCode.EGRESS, element_61=1, addresses=("192.0.2.1", "10.0.0.1")),
    Case("a value that element 61 cannot have", DirectionCode.EGRESS, element_61=7),
    Case("source inside", DirectionCode.EGRESS),
    Case("destination inside", DirectionCode.INGRESS, addresses=("192.0.2.1", "10.0.0.1")),
    Case("both inside", DirectionCode.NOT_CROSSING, addresses=("10.0.0.2", "10.0.0.1")),
    Case("both out there", DirectionCode.NOT_CROSSING, addresses=("192.0.2.2", "192.0.2.1")),
    Case("source inside, IPv6", DirectionCode.EGRESS, addresses=("2001:db8:ffff::1", "2001:db9::")),
    Case("destination inside, IPv6", DirectionCode.INGRESS, addresses=("2001:db7:ffff::", "2001:db8::")),
)


def _batch(case: Case) -> FlowBatch:
    batch = FlowBatch.empty(1)
    (family, source), (_, destination) = parse_address(case.addresses[0]), parse_address(case.addresses[1])
    mask = (1 << 64) - 1
    batch.family[0] = family
    batch.source_high[0], batch.source_low[0] = source >> 64, source & mask
    batch.destination_high[0], batch.destination_low[0] = destination >> 64, destination & mask
    batch.exporter[0], batch.flow_direction[0] = case.exporter, case.element_61
    batch.input_interface[0], batch.output_interface[0] = case.interfaces
    return batch


@pytest.mark.parametrize("case", _CASES, ids=[case.name for case in _CASES])
def test_direction(case: Case) -> None:
    """The direction is that of the case."""
    directions = tell_directions(_batch(case), gather_evidence(_INSIDE, _OUTSIDE))
    assert DirectionCode(directions[0]) is case.code


def test_without_evidence_the_direction_is_unknown() -> None:
    """Nothing declared, no element 61, no inside prefixes: unknown."""
    directions = tell_directions(_batch(_CASES[-1]), gather_evidence([], []))
    assert DirectionCode(directions[0]) is DirectionCode.UNKNOWN
