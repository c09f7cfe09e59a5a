"""Summing: classified flows into counts per class pair, interval and origin.

Owns the cutting of flows at interval borders and at the window's ends. Sampling is not scaled here.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.batch import ClassPairs
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.flow_batch import UNTIMED, FlowBatch
from venturi.core.domain.interval import Interval, Nanoseconds
from venturi.core.kernel import kernel, step
from venturi.core.meter.compiled_shares import compiled_share_before
from venturi.core.meter.pair_counts import CLASS_BITS, PairTable, add_counts, announce_key

OUTSIDE_WINDOW_CODE = 7
"""In a pair key, beside the codes of ``DirectionCode``: what lies before or after the window."""

UNTIMED_INTERVAL = UNTIMED
"""The number of the interval of flows that are ``UNTIMED``: none that time has, so that they have a row of their own."""

MOST_PARTS = 4096
"""A flow that spans more intervals than this is counted whole in its last one."""

_END = 1 << 62
_INGRESS = int(DirectionCode.INGRESS)
_BOTH = int(DirectionCode.BOTH)
_NOT_CROSSING = int(DirectionCode.NOT_CROSSING)
_ORIGIN_BITS = 32
_AHEAD = 12  # flows: long enough for a slot to come from memory, short enough for it to be still in the cache


@dataclass(frozen=True)
class Borders:
    """Where flows are cut: every ``interval`` from the UTC epoch on (None: nowhere), and at the ends of the window (None: nowhere).

    A flow without a time lies outside of any window, and in no interval.
    """

    interval: Nanoseconds | None = None
    window_start: Nanoseconds | None = None
    window_end: Nanoseconds | None = None

    def __post_init__(self) -> None:
        """Refuse a window that does not end after its start with ``InvalidTimeError``."""
        if self.window_start is not None and self.window_end is not None:
            Interval(self.window_start, self.window_end)

    @property
    def compiled(self) -> tuple[int, int, int]:
        """Interval length (0 for none), first and last moment, as compiled code takes them."""
        beginning = UNTIMED if self.window_end is None else UNTIMED + 1
        start = beginning if self.window_start is None else int(self.window_start)
        end = _END if self.window_end is None else int(self.window_end)
        return int(self.interval or 0), start, end


class FlowColumns(NamedTuple):
    """The columns of a flow batch that are summed, and what classification added; all of shape (n,)."""

    family: NDArray[np.uint8]
    direction: NDArray[np.uint8]
    source_class: NDArray[np.int32]
    destination_class: NDArray[np.int32]
    packets: NDArray[np.int64]
    octets: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    exporter: NDArray[np.int32]
    sampling: NDArray[np.int32]


def flow_columns(batch: FlowBatch, directions: NDArray[np.uint8], pairs: ClassPairs) -> FlowColumns:
    """Choose the columns to sum."""
    classes = (pairs.source_class, pairs.destination_class)
    return FlowColumns(
        batch.family, directions, *classes, batch.packets, batch.octets, batch.start, batch.end, batch.exporter, batch.sampling
    )


def unpack_pairs(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Take pair keys apart: direction codes, families, source classes, destination classes, all int64 of the shape of ``pairs``."""
    mask = (1 << CLASS_BITS) - 1
    heads = pairs >> 2 * CLASS_BITS
    return heads >> 1, 4 + 2 * (heads & 1), (pairs >> CLASS_BITS) & mask, pairs & mask


def unpack_origins(origins: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take origins apart: exporter numbers and sampling rate numbers."""
    return origins >> _ORIGIN_BITS, origins & ((1 << _ORIGIN_BITS) - 1)


@kernel
def sum_flows(
    columns: FlowColumns, borders: tuple[int, int, int], table: PairTable, room: int, first_row: int, notes: NDArray[np.int64]
) -> int:
    """Add flows from ``first_row`` on to ``table`` while it has fewer than ``room`` slots taken; give the row to go on with.

    ``notes`` (int64, shape (2,)) counts flows that lie wholly or partly outside the window, and flows too long to be split.
    """
    family, packets, octets, start, end = columns.family, columns.packets, columns.octets, columns.start, columns.end
    slots, used = table
    _, window_start, window_end = borders
    current, current_start, current_end = _interval_of(window_start, borders)
    last_announced = len(family) - _AHEAD
    for row in range(first_row, len(family)):
        if used[0] >= room:
            return row
        if row < last_announced:
            pair, origin = _key_of(columns, row + _AHEAD)
            announce_key(slots, (pair, current, origin))
        pair, origin = _key_of(columns, row)
        moment = start[row]
        last_moment = max(moment, end[row] - 1)
        if not current_start <= moment < current_end and window_start <= moment < window_end:
            current, current_start, current_end = _interval_of(moment, borders)
        if current_start <= moment and last_moment < current_end:
            add_counts(slots, used, (pair, current, origin), packets[row], octets[row])
        elif last_moment < window_start or moment >= window_end:
            notes[0] += 1
            add_counts(slots, used, (_outside_pair(pair), 0, origin), packets[row], octets[row])
        else:
            _add_parts(table, borders, (pair, origin), (packets[row], octets[row], moment, end[row]), notes)
    return len(family)


@step
def _key_of(columns: FlowColumns, row: int) -> tuple[np.int64, np.int64]:
    """Give the pair key and the origin of a flow."""
    pair = _pack_pair(columns.direction[row], columns.family[row], columns.source_class[row], columns.destination_class[row])
    return pair, (np.int64(columns.exporter[row]) << _ORIGIN_BITS) | np.int64(columns.sampling[row])


@step
def _pack_pair(code: int, family: int, source_class: int, destination_class: int) -> np.int64:
    """Pack a pair key; a flow in both directions is summed as ingress here, and a second time as egress by the caller."""
    direction = np.int64(_INGRESS if code == _BOTH else code)
    head = direction << 1 | (1 if family == 6 else 0)
    return head << (2 * CLASS_BITS) | np.int64(source_class) << CLASS_BITS | np.int64(destination_class)


@step
def _interval_of(moment: int, borders: tuple[int, int, int]) -> tuple[int, int, int]:
    """Give the number of the interval around a moment, and what of it lies in the window: from, up to before."""
    length, window_start, window_end = borders
    if length == 0:
        return 0, window_start, window_end
    if moment == UNTIMED:
        return UNTIMED_INTERVAL, UNTIMED, UNTIMED + 1
    interval = moment // length
    return interval, max(interval * length, window_start), min((interval + 1) * length, window_end)


@step
def _outside_pair(pair: np.int64) -> np.int64:
    family_bit = (pair >> (2 * CLASS_BITS)) & 1
    return (np.int64(OUTSIDE_WINDOW_CODE) << 1 | family_bit) << (2 * CLASS_BITS)


@step
def _add_parts(table, borders, key, flow, notes) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Cut a flow at the window's ends, and add what lies outside and what lies within."""
    slots, used = table
    _, window_start, window_end = borders
    pair, origin = key
    packets, octets, start, end = flow
    first = max(start, window_start)
    last = min(end, window_end)
    packets_before, octets_before = _shares_before(flow, first)
    packets_until, octets_until = _shares_before(flow, last)
    if first > start or last < end:
        notes[0] += 1
        packets_outside = packets - packets_until + packets_before
        octets_outside = octets - octets_until + octets_before
        add_counts(slots, used, (_outside_pair(pair), 0, origin), packets_outside, octets_outside)
    _add_intervals(table, borders[0], key, flow, (first, last), notes)


@step
def _add_intervals(table, length, key, flow, span, notes) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Cut what lies in the window at the interval borders, and add each part."""
    slots, used = table
    pair, origin = key
    first, last = span
    interval = 0 if length == 0 else first // length
    last_interval = 0 if length == 0 else (last - 1) // length
    if last_interval - interval >= MOST_PARTS:
        notes[1] += 1
        interval = last_interval
    packets_before, octets_before = _shares_before(flow, first)
    while interval <= last_interval:
        border = last if interval == last_interval else (interval + 1) * length
        packets_until, octets_until = _shares_before(flow, border)
        add_counts(slots, used, (pair, interval, origin), packets_until - packets_before, octets_until - octets_before)
        packets_before, octets_before = packets_until, octets_until
        interval += 1


@step
def _shares_before(flow: tuple[np.int64, np.int64, np.int64, np.int64], moment: np.int64) -> tuple[np.int64, np.int64]:
    packets, octets, start, end = flow
    elapsed, duration = moment - start, end - start
    return compiled_share_before(packets, elapsed, duration), compiled_share_before(octets, elapsed, duration)
