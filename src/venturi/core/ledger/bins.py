"""Bins: the 5 minutes, hours and days over which roll-ups sum, and how an interval is cut at their borders.

Owns the alignment, the jitter and the split of counts. Bins are aligned to the UTC epoch; times are nanoseconds since then.
"""

from typing import NamedTuple

from venturi.core.domain.interval import SECOND
from venturi.core.meter.shares import share_before

BIN = 300 * SECOND
"""The length of the smallest bin."""

HOUR = 12 * BIN
"""The length of the middle bin; its borders are borders of the smaller one too."""

DAY = 24 * HOUR
"""The length of a day, in UTC: the largest bin, the sum of its hours."""

JITTER = SECOND
"""How far from a border of 5 minutes a reading may be and still count as made at it."""


class Part(NamedTuple):
    """What of an interval lies in one bin: from ``start`` to ``end``, of the ``whole`` that lies from ``origin`` on.

    ``bin_start`` names the bin. Bounds are those of the interval after snapping.
    """

    bin_start: int
    start: int
    end: int
    origin: int
    whole: int

    def share(self, total: int) -> int:
        """Give this part's share of a count; the shares of all parts of an interval sum to it, whatever the length of the bins."""
        if self.end - self.start == self.whole:
            return total
        return share_before(total, self.end - self.origin, self.whole) - share_before(total, self.start - self.origin, self.whole)

    def is_alone(self, width: int) -> bool:
        """Tell whether the whole interval lies in one bin of ``width``, which may be longer than that of the part."""
        return self.origin // width == (self.origin + max(self.whole, 1) - 1) // width


def snap(time: int) -> int:
    """Give the border of 5 minutes that is at most ``JITTER`` away, else the time itself."""
    border = (time + BIN // 2) // BIN * BIN
    return border if abs(time - border) <= JITTER else time


def cut(start: int, end: int, width: int = BIN) -> list[Part]:
    """Cut an interval with the true bounds ``start`` and ``end`` at the borders of bins of ``width``, ``BIN`` or a multiple of it.

    The bounds are snapped first. There is one part for each bin that the interval touches, in their order; a single one has all
    counts. An interval without a length, or of which snapping leaves none, lies in the bin that holds its start.
    """
    start, end = snap(start), snap(end)
    whole = max(end - start, 0)
    first, last = start // width * width, (max(end, start + 1) - 1) // width * width
    if first == last:
        return [Part(first, start, start + whole, start, whole)]
    return [Part(border, max(border, start), min(border + width, end), start, whole) for border in range(first, last + 1, width)]


def count_bins(start: int, end: int) -> int:
    """Count the bins of 5 minutes that an interval with these true bounds touches: how many parts ``cut`` gives."""
    start, end = snap(start), snap(end)
    return (max(end, start + 1) - 1) // BIN - start // BIN + 1


def cut_within(start: int, end: int, window: tuple[int, int], width: int) -> list[Part]:
    """Cut as ``cut`` does, but give only the parts from the start to the end of ``window``, in bins of ``width`` that begin with it.

    With a ``width`` of 0, the window is one bin.
    """
    start, end = snap(start), snap(end)
    if start == end and window[0] <= start < window[1]:
        return [Part(window[0] + (start - window[0]) // width * width if width else window[0], start, start, start, 0)]
    first, last = max(start, window[0]), min(end, window[1])
    if first >= last:
        return []
    if not width:
        return [Part(window[0], first, last, start, end - start)]
    borders = range(window[0] + (first - window[0]) // width * width, last, width)
    return [Part(border, max(border, first), min(border + width, last), start, end - start) for border in borders]
