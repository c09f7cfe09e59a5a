"""Usage records: what a label counted at a place, in a direction and an interval (RFC 2722 §3); one by one and in columns."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, Self, runtime_checkable

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


class UsagePlace(NamedTuple):
    """Which way, when and where usage was counted, as ``UsageRecord`` says."""

    direction: Direction | None
    interval: Interval | None
    observation_point: str | None


class UsageColumns(NamedTuple):
    """Usage records in columns, so that many are gone through at once; what they share is there once.

    Row i is of ``labels[label[i]]`` at ``places[place[i]]``; all columns are as long as there are rows.
    """

    labels: Sequence[MeteringLabel]
    places: Sequence[UsagePlace]
    label: Sequence[int]
    place: Sequence[int]
    packets: Sequence[int]
    octets: Sequence[int]
    observed_packets: Sequence[int]
    observed_octets: Sequence[int]
    estimated: Sequence[bool]

    @classmethod
    def of(cls, records: Iterable[UsageRecord]) -> Self:
        """Give records in columns."""
        labels: dict[MeteringLabel, int] = {}
        places: dict[UsagePlace, int] = {}
        rows = [
            (
                labels.setdefault(record.label, len(labels)),
                places.setdefault(UsagePlace(*record[1:4]), len(places)),
                *record.counts,
                *record.observed,
                record.estimated,
            )
            for record in records
        ]
        columns = zip(*rows, strict=True) if rows else ((),) * (len(cls._fields) - 2)
        return cls(tuple(labels), tuple(places), *columns)

    def records(self) -> Iterator[UsageRecord]:
        """Go through the records in order."""
        labels = map(self.labels.__getitem__, self.label)
        places = map(self.places.__getitem__, self.place)
        counts = map(Counts, self.packets, self.octets)
        observed = map(Counts, self.observed_packets, self.observed_octets)
        for label, place, scaled, seen, estimated in zip(labels, places, counts, observed, self.estimated, strict=True):
            yield UsageRecord(label, *place, scaled, seen, estimated)


@runtime_checkable
class ColumnarUsage(Protocol):
    """Usage that is kept in columns and gives them sooner than records."""

    def columns(self) -> Iterator[UsageColumns]:
        """Go through the records in columns, some thousands at once."""
        ...


def usage_columns(usage: Iterable[UsageRecord]) -> Iterator[UsageColumns]:
    """Give usage in columns, as ``ColumnarUsage`` does."""
    if isinstance(usage, ColumnarUsage):
        yield from usage.columns()
    else:
        yield UsageColumns.of(usage)
