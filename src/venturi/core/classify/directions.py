"""Directions of flows: which way each passes its observation point.

Owns the order of evidence: interfaces declared outside, else information element 61, else the inside prefixes, else unknown.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.lookup import LookupV4, LookupV6, find_class_v4, find_class_v6, lay_out_v4, lay_out_v6
from venturi.core.classify.traffic_classes import ANY_CLASS, cut_into_classes
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.flow_batch import FlowBatch
from venturi.core.domain.prefix import Prefix
from venturi.core.kernel import kernel, step

_INGRESS = int(DirectionCode.INGRESS)
_EGRESS = int(DirectionCode.EGRESS)
_UNKNOWN = int(DirectionCode.UNKNOWN)
_BOTH = int(DirectionCode.BOTH)
_NOT_CROSSING = int(DirectionCode.NOT_CROSSING)
_NO_ADDRESSES = int(DirectionCode.NO_ADDRESSES)
_DUPLICATE_EXPORT = int(DirectionCode.DUPLICATE_EXPORT)
_METERED_AT_INGRESS = 0
_METERED_AT_EGRESS = 1


class DirectionEvidence(NamedTuple):
    """What directions are told from.

    The ifIndex values declared outside at exporter e are ``outside_interfaces[outside_first[e]:outside_first[e + 1]]`` (int64); no exporter
    beyond those of ``outside_first`` has any. ``inside_v4`` and
    ``inside_v6`` hold one table each, in which every class but ``ANY_CLASS`` is inside; ``has_inside`` is whether any prefix was given.
    """

    outside_first: NDArray[np.int64]
    outside_interfaces: NDArray[np.int64]
    inside_v4: LookupV4
    inside_v6: LookupV6
    has_inside: bool


def gather_evidence(inside: Iterable[Prefix], outside_interfaces: Sequence[tuple[int, int]]) -> DirectionEvidence:
    """Prepare the inside prefixes and the declared (exporter number, ifIndex) pairs."""
    prefixes = tuple(inside)
    v4, v6 = ([cut_into_classes(family, (prefix for prefix in prefixes if prefix.family == family))] for family in (4, 6))
    pairs = np.array(sorted(set(outside_interfaces)), dtype=np.int64).reshape(-1, 2)
    exporters = pairs[:, 0].copy()
    first = np.searchsorted(exporters, np.arange(exporters[-1] + 2 if len(exporters) else 1)).astype(np.int64)
    return DirectionEvidence(first, pairs[:, 1].copy(), lay_out_v4(v4), lay_out_v6(v6), bool(prefixes))


def tell_directions(batch: FlowBatch, evidence: DirectionEvidence) -> NDArray[np.uint8]:
    """Tell the direction of each flow: ``DirectionCode`` values, uint8, shape (n,)."""
    directions = np.empty(len(batch), dtype=np.uint8)
    addresses = (batch.source_high, batch.source_low, batch.destination_high, batch.destination_low)
    interfaces = (batch.exporter, batch.input_interface, batch.output_interface, batch.flow_direction)
    _tell_directions(batch.family, addresses, interfaces, evidence, directions)
    return directions


@kernel
def _tell_directions(family, addresses, interfaces, evidence, directions) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    source_high, source_low, destination_high, destination_low = addresses
    exporter, input_interface, output_interface, flow_direction = interfaces
    outside_first, outside_interfaces = evidence.outside_first, evidence.outside_interfaces
    inside_v4, inside_v6, has_inside = evidence.inside_v4, evidence.inside_v6, evidence.has_inside
    for row in range(len(family)):
        if _declares(outside_first, exporter[row]):
            input_outside = _is_outside(outside_first, outside_interfaces, exporter[row], input_interface[row])
            output_outside = _is_outside(outside_first, outside_interfaces, exporter[row], output_interface[row])
            directions[row] = _from_interfaces(input_outside, output_outside, flow_direction[row])
        elif flow_direction[row] <= _METERED_AT_EGRESS:
            directions[row] = flow_direction[row]
        elif not has_inside or family[row] == 0:
            directions[row] = _UNKNOWN
        elif family[row] == 4:
            source_class = find_class_v4(inside_v4, 0, source_low[row])
            directions[row] = _from_classes(source_class, find_class_v4(inside_v4, 0, destination_low[row]))
        else:
            source_class = find_class_v6(inside_v6, 0, source_high[row], source_low[row])
            directions[row] = _from_classes(source_class, find_class_v6(inside_v6, 0, destination_high[row], destination_low[row]))
        if family[row] == 0 and directions[row] <= _BOTH:
            directions[row] = _NO_ADDRESSES


@step
def _declares(first: NDArray[np.int64], exporter: int) -> bool:
    return exporter + 1 < len(first) and first[exporter] < first[exporter + 1]


@step
def _is_outside(first: NDArray[np.int64], interfaces: NDArray[np.int64], exporter: int, interface: int) -> bool:
    found = False
    for place in range(first[exporter], first[exporter + 1]):
        found |= interfaces[place] == interface
    return found


@step
def _from_interfaces(input_outside: bool, output_outside: bool, flow_direction: int) -> int:  # noqa: FBT001 - a kernel has no keyword arguments
    """Decide by the two sides; a side is counted unless information element 61 says that the record was metered at the other one."""
    ingress = input_outside and flow_direction != _METERED_AT_EGRESS
    egress = output_outside and flow_direction != _METERED_AT_INGRESS
    if ingress and egress:
        return _BOTH
    if ingress or egress:
        return _INGRESS if ingress else _EGRESS
    return _DUPLICATE_EXPORT if input_outside or output_outside else _NOT_CROSSING


@step
def _from_classes(source_class: np.int32, destination_class: np.int32) -> int:
    source_inside = source_class != ANY_CLASS
    crossing = _EGRESS if source_inside else _INGRESS
    return _NOT_CROSSING if source_inside == (destination_class != ANY_CLASS) else crossing
