"""Intervals as they are recorded, each with its point and labels, and the batch that is made of them.

Owns the tables of points and labels of a batch, in which each stands once. When a batch is made is for the spool.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import astuple, replace

from venturi.core.ledger.batch import (
    BATCH_VERSION,
    Batch,
    BatchLabel,
    BatchPoint,
    DirectionTotals,
    MeteredInterval,
    ProjectUsage,
    UsageRow,
    count_entries,
    encode_batch,
    read_project_usage,
)


@dataclass(frozen=True)
class LabelSet:
    """The labels of a classifier, in the order of its numbers, as they were called when traffic was counted."""

    labels: tuple[BatchLabel, ...]

    @cached_property
    def digest(self) -> bytes:
        """Identify the labels, names and order included: 16 octets of BLAKE2b."""
        return hashlib.blake2b(encode_batch(self.labels), digest_size=16).digest()


NO_LABELS = LabelSet(())
"""For intervals without usage: gaps."""


@dataclass(frozen=True)
class RecordedInterval:
    """One point between two readings. Usage rows of ``interval`` name labels by place in ``labels``; its ``point`` says nothing yet."""

    point: BatchPoint
    labels: LabelSet
    interval: MeteredInterval

    @property
    def rows(self) -> int:
        """What the interval weighs in a batch: itself, its totals, its usage rows, and what projects used."""
        return count_entries(self.interval)

    @cached_property
    def kind(self) -> bytes:
        """Identify all but times and counts: what differs in it can never be summed. 16 octets of BLAKE2b."""
        bare = replace(self.interval, point=0, start=0, end=0, totals=[], usage=[], project_usage=self.interval.project_usage and b"\x90")
        return hashlib.blake2b(encode_batch((self.point, self.labels.digest, bare)), digest_size=16).digest()


def make_batch(recorded: Iterable[RecordedInterval], sealed_at: int) -> Batch:
    """Make the batch of intervals in their order; points and labels stand in it once, labels only where they had traffic."""
    points: dict[BatchPoint, int] = {}
    labels: dict[BatchLabel, int] = {}
    intervals = [
        replace(entry.interval, point=points.setdefault(entry.point, len(points)), usage=_renumbered(entry, labels)) for entry in recorded
    ]
    return Batch(version=BATCH_VERSION, sealed_at=sealed_at, points=list(points), labels=list(labels), intervals=intervals)


def _renumbered(entry: RecordedInterval, labels: dict[BatchLabel, int]) -> list[UsageRow]:
    known = entry.labels.labels
    return [
        UsageRow(labels.setdefault(known[row.label], len(labels)), row.direction, row.packets, row.octets) for row in entry.interval.usage
    ]


def join_intervals(recorded: Sequence[RecordedInterval]) -> list[RecordedInterval]:
    """Sum what adjoins: intervals of one kind of which each begins as the one before ends become one. Given and returned by start."""
    joined: list[RecordedInterval] = []
    run: list[RecordedInterval] = []
    for entry in sorted(recorded, key=lambda entry: entry.interval.start):
        if run and (entry.interval.start != run[-1].interval.end or entry.kind != run[-1].kind):
            joined.append(_sum(run))
            run = []
        run.append(entry)
    return [*joined, _sum(run)] if run else joined


def _sum(run: Sequence[RecordedInterval]) -> RecordedInterval:
    if len(run) == 1:
        return run[0]
    totals: dict[int, DirectionTotals] = {}
    usage: dict[tuple[int, int], UsageRow] = {}
    for entry in run:
        for total in entry.interval.totals:
            known = totals.get(total.direction)
            totals[total.direction] = total if known is None else _sum_of_totals(known, total)
        for row in entry.interval.usage:
            before = usage.get((row.label, row.direction))
            usage[row.label, row.direction] = row if before is None else _sum_of_rows(before, row)
    sums = {"totals": list(totals.values()), "usage": list(usage.values()), "project_usage": _sum_project_usage(run)}
    return RecordedInterval(run[0].point, run[0].labels, replace(run[0].interval, end=run[-1].interval.end, **sums))


def _sum_project_usage(run: Sequence[RecordedInterval]) -> bytes:
    if not run[0].interval.project_usage:
        return b""
    sums: dict[tuple[str, int], ProjectUsage] = {}
    for row in (row for entry in run for row in read_project_usage(entry.interval)):
        key = row.project_id, row.direction
        counts = astuple(row)[2:] if key not in sums else map(sum, zip(astuple(sums[key])[2:], astuple(row)[2:], strict=True))
        sums[key] = ProjectUsage(*key, *counts)
    return encode_batch(list(sums.values()))


def _sum_of_totals(first: DirectionTotals, second: DirectionTotals) -> DirectionTotals:
    counts = (one + other for one, other in zip(astuple(first)[1:], astuple(second)[1:], strict=True))
    return DirectionTotals(first.direction, *counts)


def _sum_of_rows(first: UsageRow, second: UsageRow) -> UsageRow:
    return UsageRow(first.label, first.direction, first.packets + second.packets, first.octets + second.octets)
