"""The report of one source and the usage of a run, out of what the meter counted.

Owns the naming of observation points and the translation of row numbers into words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self, overload

from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.domains import SequenceLoss
from venturi.core.domain.direction import COUNTED_DIRECTIONS
from venturi.core.domain.flow_batch import Exporter
from venturi.core.domain.interval import Nanoseconds, aligned_interval
from venturi.core.domain.point import ObservationPoint, PointKind
from venturi.core.domain.prefix import format_address
from venturi.core.domain.usage import UsageColumns, UsagePlace, UsageRecord
from venturi.core.meter.meter import Meter
from venturi.core.meter.summing import UNTIMED_INTERVAL
from venturi.core.meter.usage_sums import SummedColumns
from venturi.services.offline.report import ExporterReport

LOSS_UNITS = {"netflow-v5": "flows", "netflow-v9": "datagrams", "ipfix": "data records", "sflow": "datagrams"}
"""What the sequence numbers of each protocol count."""


def exporter_name(exporter: Exporter, file_name: str) -> str:
    """Name an exporter: by its address, or by the file where no address is known."""
    if exporter.family is None or exporter.address is None:
        return file_name
    return format_address(exporter.family, exporter.address)


@dataclass(frozen=True)
class CollectorProgress:
    """How far a collector has come, so that what it met in one file can be told from what it met before."""

    losses: tuple[SequenceLoss, ...]
    replaced_times: int
    untimed: int

    @classmethod
    def of(cls, collector: ExportDecoder) -> Self:
        """Take note of a collector."""
        return cls(tuple(collector.sequence_report()), collector.replaced_times, collector.untimed)

    def exporters_since(self, before: Self, file_name: str) -> tuple[ExporterReport, ...]:
        """Report the observation domains that sent messages since ``before``; domains only ever join at the end of the list."""
        known = [(loss.messages, loss.lost) for loss in before.losses]
        known += [(0, 0)] * (len(self.losses) - len(known))
        return tuple(
            ExporterReport(
                exporter=exporter_name(loss.exporter, file_name),
                observation_domain=loss.domain,
                version=loss.protocol,
                messages=loss.messages - messages,
                lost=max(loss.lost - lost, 0),
                unit=LOSS_UNITS[loss.protocol],
            )
            for loss, (messages, lost) in zip(self.losses, known, strict=True)
            if loss.messages > messages
        )


def observation_point(exporter: Exporter, file_name: str) -> ObservationPoint:
    """Give the observation point of an exporter's flows in a file: the exporter, or the file where no exporter is known."""
    kind = PointKind.CAPTURE if exporter.address is None else PointKind.EXPORTER
    return ObservationPoint(name=exporter_name(exporter, file_name), kind=kind)


class MeteredUsage(Sequence[UsageRecord]):
    """The usage of a run; records are made as they are asked for, so that a million rows stay arrays."""

    def __init__(self, meter: Meter, interval: Nanoseconds | None) -> None:
        """Take the meter, whose sums no longer grow, and the interval that its rows are told apart by."""
        self._meter = meter
        self._interval = interval

    def __len__(self) -> int:
        """Count the rows of the report."""
        return len(self._meter.usage)

    @overload
    def __getitem__(self, number: int) -> UsageRecord: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[UsageRecord]: ...
    def __getitem__(self, number: int | slice) -> UsageRecord | Sequence[UsageRecord]:
        """Give one record, or a list of them."""
        if isinstance(number, slice):
            return [self[place] for place in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return next(self._named(self._meter.usage.columns_of(slice(number % len(self), number % len(self) + 1))).records())

    def __iter__(self) -> Iterator[UsageRecord]:
        """Go through the records in the order of labels, directions, intervals and points."""
        return chain.from_iterable(columns.records() for columns in self.columns())

    def columns(self) -> Iterator[UsageColumns]:
        """Go through the records in columns (a ``ColumnarUsage``)."""
        return map(self._named, self._meter.usage.columns())

    def _named(self, summed: SummedColumns) -> UsageColumns:
        """Give labels, directions, intervals and points for their numbers."""
        labels: dict[int, int] = {}
        places: dict[tuple[int, int, int], int] = {}
        label = [labels.setdefault(number, len(labels)) for number in summed.keys[:, 0].tolist()]
        place = [places.setdefault(numbers, len(places)) for numbers in zip(*summed.keys[:, 1:].T.tolist(), strict=True)]
        named_labels = [self._meter.classifier.labels[number] for number in labels]
        return UsageColumns(named_labels, [self._place(*numbers) for numbers in places], label, place, *summed[1:])

    def _place(self, direction: int, interval: int, point: int) -> UsagePlace:
        return UsagePlace(
            COUNTED_DIRECTIONS[direction] if direction >= 0 else None,
            aligned_interval(interval, self._interval) if self._interval and interval != UNTIMED_INTERVAL else None,
            self._meter.points[point].name if point >= 0 else None,
        )
