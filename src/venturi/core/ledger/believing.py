"""What of an interval cannot be, whoever says it: its times, and how much it counts.

Owns these checks and their tolerances. What hosts were told, and what else is known of a place, is for the services.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from venturi.core.domain.coverage import Coverage
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import HIGHEST, MeteredInterval
from venturi.core.ledger.bins import DAY, HOUR, JITTER
from venturi.core.ledger.trust import HeldReason

CLOCK_SLACK = DAY
"""How far the clock of an agent may be ahead of the server's, or behind."""

READING_SLACK = SECOND
"""By how much the counters may be read before or after the time that a reading bears."""

MOST_IN_HOUR = HIGHEST >> 12
"""The most that an interval may add to the sums of an hour, so that thousands of them stay below the highest number."""

SMALLEST_PACKET = 20
"""The octets of the smallest packet: a header of IPv4 (RFC 791 §3.1)."""

_OCTET = 8


def find_fault(interval: MeteredInterval, now: int, told_since: int | None, line_rate: int) -> HeldReason | None:
    """Say why an interval cannot be, at a time in nanoseconds since the UTC epoch; None if it can.

    The point was in a plan of the host from ``told_since`` on, None if that is not known, and carries ``line_rate`` bits a second of layer
    3 in each direction.
    """
    if interval.end > now + CLOCK_SLACK:
        return HeldReason.IN_FUTURE
    if told_since is not None and interval.start < told_since - CLOCK_SLACK:
        return HeldReason.BEFORE_PLAN
    octets, most = 0, 0
    for totals in interval.totals:
        octets = max(octets, totals.octets, totals.packets * SMALLEST_PACKET)
        most = max(most, totals.octets, totals.packets)
    length = interval.end - interval.start
    if octets * _OCTET * SECOND > line_rate * (length + READING_SLACK):
        return HeldReason.ABOVE_LINE_RATE
    return HeldReason.TOO_LARGE if most * HOUR > MOST_IN_HOUR * max(length, HOUR) else None


def counts(interval: MeteredInterval) -> bool:
    """Tell whether an interval accounts for its time: all do but gaps that count nothing."""
    return interval.coverage != Coverage.GAP or bool(interval.totals)


def counts_packets(interval: MeteredInterval) -> bool:
    """Tell whether an interval counted any packet."""
    return any(totals.packets for totals in interval.totals)


class AccountedTime(NamedTuple):
    """A time that is accounted for: by ``host``, from ``start`` to ``end`` in nanoseconds since the UTC epoch."""

    host: str
    start: int
    end: int


def find_overlapping(accounted: Iterable[AccountedTime], host: str, times: Sequence[tuple[int, int]]) -> list[bool]:
    """Tell of each of some ``times`` of a host, by start and end, whether anything at the place accounts for any of it already.

    That is what is ``accounted`` for, and those of the ``times`` that begin before and overlap nothing. Intervals of one host begin where
    the one before ended. The clocks of two hosts may differ: by ``JITTER``, and at most by half of the shorter interval. An interval
    without a length accounts for its start.
    """
    known = sorted((time.start, max(time.end, time.start + 1), time.host.lower() == host.lower()) for time in accounted)
    starts = [start for start, _, _ in known]
    reaches = list(accumulate((end for _, end, _ in known), max))
    found, reached = [False] * len(times), -1
    for number in sorted(range(len(times)), key=times.__getitem__):
        start, end = times[number]
        end = max(end, start + 1)
        found[number] = start < reached or _clashes(known, starts, reaches, (start, end))
        reached = reached if found[number] else end
    return found


def _clashes(known: Sequence[tuple[int, int, bool]], starts: Sequence[int], reaches: Sequence[int], time: tuple[int, int]) -> bool:
    """Tell whether a time overlaps one of those known, which stand in order of their starts; ``reaches`` tells the latest end so far."""
    start, end = time
    place = bisect_left(starts, end) - 1
    while place >= 0 and reaches[place] > start:
        other_start, other_end, same_host = known[place]
        tolerance = 0 if same_host else min(JITTER, (end - start) // 2, (other_end - other_start) // 2)
        if min(end, other_end) - max(start, other_start) > tolerance:
            return True
        place -= 1
    return False
