"""Usage records: what a label counted at a place, in a direction and an interval (RFC 2722 §3)."""

from typing import NamedTuple

from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.interval import Interval
from venturi.core.domain.label import MeteringLabel


class UsageRecord(NamedTuple):
    """The traffic of one label.

    ``direction``, ``interval`` and ``observation_point`` are None where usage is summed over all of them. ``counts`` are
    scaled by the sampling rates, ``observed`` are as seen; they differ only if ``estimated``.
    """

    label: MeteringLabel
    direction: Direction | None
    interval: Interval | None
    observation_point: str | None
    counts: Counts
    observed: Counts
    estimated: bool
