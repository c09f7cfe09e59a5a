"""Batches as agents seal them: usage of many labels at some points, minute by minute.

Owns their shape and their numbers, which are the same in every run but for the ids of spools.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import zstandard

from venturi.core.domain.direction import Direction
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import (
    BATCH_VERSION,
    Batch,
    BatchLabel,
    BatchPoint,
    DirectionTotals,
    Envelope,
    MeteredInterval,
    UsageRow,
    encode_batch,
)
from venturi.core.ledger.chain import FIRST_PREVIOUS, chain_digest

BEGINNING = 1_767_225_600 * SECOND
"""When metering begins: 2026-01-01T00:00:00Z."""

PROJECT = "measured"
"""The project of all labels."""

DIRECTIONS = (Direction.INGRESS.code, Direction.EGRESS.code)

_OCTETS = 700
_MOST_PACKETS = 1_000
_JITTER = 3_000_000
_POINT_IDS = 1 << 64


@dataclass(frozen=True, kw_only=True)
class BatchShape:
    """What a batch holds: ``readings`` in succession of each of ``points``, each with usage of ``labels`` in both directions.

    An interval lasts ``seconds``; the next one begins ``step`` seconds after it began.
    """

    points: int
    labels: int
    readings: int = 1
    seconds: int = 60
    step: int = 60

    @property
    def rows(self) -> int:
        """The usage records of a batch."""
        return self.points * self.readings * self.labels * len(DIRECTIONS)

    def __str__(self) -> str:
        """Say it in words."""
        each = f"{self.readings} x {self.seconds} s" if self.readings > 1 else f"{self.seconds} s"
        places = "1 point" if self.points == 1 else f"{self.points:,} points"
        return f"{places}, {each}, {self.labels:,} labels, both directions: {self.rows:,} usage records"


@dataclass(frozen=True)
class SealedBatches:
    """Batches as they travel, and the ``packets`` of all their usage records together."""

    shape: BatchShape
    bodies: Sequence[bytes]
    packets: int

    @property
    def records(self) -> int:
        """The usage records of all of them."""
        return len(self.bodies) * self.shape.rows


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a server told a host to meter, as batches name it, and when metering begins in nanoseconds since the UTC epoch."""

    points: Sequence[BatchPoint]
    labels: Sequence[BatchLabel]
    classifier: str
    revision: int
    beginning: int


class BatchStream:
    """What one agent's spool delivers: batches of one shape, each chained to the one before."""

    def __init__(self, agent_number: int, shape: BatchShape, told: Told | None = None) -> None:
        """Begin a new spool; agents of different numbers meter different points, and labels of the same names, unless they are ``told``."""
        self.shape = shape
        self._told = told
        self._agent = f"agent-{agent_number}"
        self._first_point = agent_number * shape.points
        self._spool_id = secrets.token_hex(16)
        self._generation = secrets.token_hex(16)
        self._sequence = 0
        self._previous = FIRST_PREVIOUS

    def seal(self, count: int) -> SealedBatches:
        """Seal the next ``count`` batches."""
        batches = [self._make_batch(self._sequence + number) for number in range(count)]
        packets = sum(row.packets for batch in batches for interval in batch.intervals for row in interval.usage)
        return SealedBatches(self.shape, [self._seal_one(batch) for batch in batches], packets)

    def _seal_one(self, batch: Batch) -> bytes:
        self._sequence += 1
        payload = encode_batch(batch)
        digest = chain_digest(self._spool_id, self._sequence, self._previous, payload)
        envelope = Envelope(
            agent_id=self._agent,
            host=self._agent,
            spool_id=self._spool_id,
            sequence=self._sequence,
            previous=self._previous,
            digest=digest,
            payload=payload,
        )
        self._previous = digest
        return zstandard.compress(encode_batch(envelope))

    def _make_batch(self, number: int) -> Batch:
        first_reading = number * self.shape.readings
        readings = range(first_reading, first_reading + self.shape.readings)
        intervals = [self._meter(point, reading) for reading in readings for point in range(self.shape.points)]
        return Batch(version=BATCH_VERSION, sealed_at=intervals[-1].end, points=self._points, labels=self._labels, intervals=intervals)

    def _meter(self, point: int, reading: int) -> MeteredInterval:
        start = (BEGINNING if self._told is None else self._told.beginning) + reading * self.shape.step * SECOND + _JITTER
        usage = [
            UsageRow(label, direction, packets := 1 + (label * 7 + reading * 13 + direction) % _MOST_PACKETS, packets * _OCTETS)
            for label in range(self.shape.labels)
            for direction in DIRECTIONS
        ]
        totals = [_sum_up(usage, direction) for direction in DIRECTIONS]
        return MeteredInterval(
            point=point,
            place=f"router-{point}/external",
            start=start,
            end=start + self.shape.seconds * SECOND,
            generation=self._generation,
            classifier=self._generation * 2 if self._told is None else self._told.classifier,
            revision=1 if self._told is None else self._told.revision,
            totals=totals,
            usage=usage,
        )

    @cached_property
    def _points(self) -> list[BatchPoint]:
        if self._told is not None:
            return list(self._told.points)
        numbers = range(self._first_point, self._first_point + self.shape.points)
        return [BatchPoint(str(UUID(int=_POINT_IDS + number)), f"router-{number}", PROJECT, True, "router") for number in numbers]  # noqa: FBT003 - a row

    @cached_property
    def _labels(self) -> list[BatchLabel]:
        if self._told is not None:
            return list(self._told.labels)
        return [BatchLabel(label_id(number), f"label-{number}", PROJECT, True) for number in range(self.shape.labels)]  # noqa: FBT003 - a row


def label_id(number: int) -> str:
    """Give the id of a label by its number."""
    return str(UUID(int=number + 1))


def _sum_up(usage: list[UsageRow], direction: int) -> DirectionTotals:
    packets = sum(row.packets for row in usage if row.direction == direction)
    return DirectionTotals(direction, packets, packets * _OCTETS)
