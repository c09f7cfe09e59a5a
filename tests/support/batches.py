"""Batches for tests of the ledger: a spool that seals what it is told, and points and labels with ids of their own.

Owns defaults and spellings that keep a test short.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import zstandard
from msgspec import structs

from tests.support.control_values import new_id
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import (
    BATCH_VERSION,
    Batch,
    BatchLabel,
    BatchPoint,
    DirectionTotals,
    Envelope,
    MeteredInterval,
    ProjectUsage,
    UsageRow,
    encode_batch,
)
from venturi.core.ledger.chain import FIRST_PREVIOUS, chain_digest

BEGINNING = 1_767_225_600 * SECOND
"""The time at which tests begin: 2026-01-01T00:00:00Z, a border of every bin."""

MINUTE = 60 * SECOND
Counts = tuple[int, int]
NO_COUNTS = (0, 0)


def make_batch_point(name: str = "uplink", *, project_id: str = "p1", shared: bool = False, kind: str = "interface") -> BatchPoint:
    """Make a point with an id of its own."""
    return BatchPoint(new_id(), name, project_id, shared, kind)


def make_batch_label(name: str = "web", *, project_id: str = "p1", shared: bool = False) -> BatchLabel:
    """Make a label with an id of its own."""
    return BatchLabel(new_id(), name, project_id, shared)


def part_usage(interval: MeteredInterval, labels: Sequence[BatchLabel]) -> MeteredInterval:
    """Give an interval in which each label's traffic is apart with what the projects of its ``labels`` used."""
    used: dict[tuple[str, int], Counts] = {}
    shared: dict[int, Counts] = {}
    for row in interval.usage:
        label = labels[row.label]
        if label.shared:
            shared[row.direction] = _add(shared.get(row.direction, NO_COUNTS), row)
        else:
            key = label.project_id, row.direction
            used[key] = _add(used.get(key, NO_COUNTS), row)
    totals = [structs.replace(each, **_named("shared", shared.get(each.direction, NO_COUNTS))) for each in interval.totals]
    rows = [ProjectUsage(*key, *counts, *counts) for key, counts in used.items()]
    return structs.replace(interval, totals=totals, project_usage=encode_batch(rows))


def _add(counts: Counts, row: UsageRow) -> Counts:
    return counts[0] + row.packets, counts[1] + row.octets


def _named(part: str, counts: Counts) -> dict[str, int]:
    return {f"{part}_packets": counts[0], f"{part}_octets": counts[1]}


def make_interval(minute: int = 0, minutes: int = 1, *, usage: Sequence[tuple[int, int, int, int]] = (), **others: Any) -> MeteredInterval:  # noqa: ANN401 - fields of an interval
    """Make the interval of a point from a minute on, with totals that are those of its usage, each label's traffic apart."""
    start = others.pop("start", BEGINNING + minute * MINUTE)
    end = others.pop("end", start + minutes * MINUTE)
    unmatched = others.pop("unmatched", NO_COUNTS)
    sums: dict[int, Counts] = {0: unmatched} if any(unmatched) else {}
    for _, direction, packets, octets in usage:
        found = sums.get(direction, NO_COUNTS)
        sums[direction] = found[0] + packets, found[1] + octets
    totals = [DirectionTotals(direction, *counts, *(unmatched if direction == 0 else NO_COUNTS)) for direction, counts in sums.items()]
    given: dict[str, Any] = {"point": 0, "place": "eth0", "generation": "a" * 32, "classifier": "b" * 64, "revision": 7, "totals": totals}
    return MeteredInterval(start=start, end=end, usage=[UsageRow(*row) for row in usage], **(given | others))


@dataclass
class SpoolOfTests:
    """A spool that seals batches and chains them, as an agent does."""

    agent_id: str = "agent-1"
    host: str = "edge-1"
    spool_id: str = field(default_factory=lambda: new_id().replace("-", ""))
    points: list[BatchPoint] = field(default_factory=lambda: [make_batch_point()])
    labels: list[BatchLabel] = field(default_factory=lambda: [make_batch_label()])
    sealed: list[Envelope] = field(default_factory=list)

    def seal(self, *intervals: MeteredInterval, **changed: Any) -> Envelope:  # noqa: ANN401 - fields of a batch
        """Seal a batch of intervals as the next of the spool."""
        given = {"version": BATCH_VERSION, "sealed_at": BEGINNING, "points": self.points, "labels": self.labels}
        payload = encode_batch(Batch(**(given | {"intervals": list(intervals)} | changed)))  # type: ignore[arg-type] # as given
        previous = self.sealed[-1].digest if self.sealed else FIRST_PREVIOUS
        envelope = self.envelope(len(self.sealed) + 1, previous, payload)
        self.sealed.append(envelope)
        return envelope

    def envelope(self, sequence: int, previous: bytes, payload: bytes) -> Envelope:
        """Make an envelope whose digest is that of its content."""
        return Envelope(
            agent_id=self.agent_id,
            host=self.host,
            spool_id=self.spool_id,
            sequence=sequence,
            previous=previous,
            digest=chain_digest(self.spool_id, sequence, previous, payload),
            payload=payload,
        )

    def fork(self) -> "SpoolOfTests":
        """Give a spool that goes on by itself from where this one is."""
        return replace(self, sealed=list(self.sealed))


def send_form(envelope: Envelope) -> bytes:
    """Give an envelope as it travels."""
    return zstandard.ZstdCompressor().compress(encode_batch(envelope))
