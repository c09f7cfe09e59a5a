"""The batch, version 1: usage and coverage on their way from an agent's spool to the ledger.

Owns names and order of its fields. A batch travels as an envelope: the payload is the batch in MessagePack, the digest chains it to the
batch before it (``chain``), and the whole envelope, in MessagePack too, is compressed with Zstandard.
"""

import msgspec
from msgspec import Struct, field

BATCH_VERSION = 1
"""The version of the form; a reader refuses one that it does not know."""

MEDIA_TYPE = "application/vnd.venturi.batch"
"""The media type of an envelope, compressed."""


class BatchLabel(Struct, array_like=True, frozen=True):
    """A label as it was when its traffic was counted."""

    id: str
    name: str
    project_id: str
    shared: bool


class BatchPoint(Struct, array_like=True, frozen=True):
    """An observation point as it was when it was metered."""

    id: str
    name: str
    project_id: str
    shared: bool
    kind: str


class DirectionTotals(Struct, array_like=True, frozen=True):
    """All that was counted in one direction (a code of ``DirectionCode``); unmatched and unattributed are parts of packets and octets."""

    direction: int
    packets: int
    octets: int
    unmatched_packets: int = 0
    unmatched_octets: int = 0
    unattributed_packets: int = 0
    unattributed_octets: int = 0


class UsageRow(Struct, array_like=True, frozen=True):
    """What one label counted in one direction; ``label`` is its place among the labels of the batch."""

    label: int
    direction: int
    packets: int
    octets: int


class MeteredInterval(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One point between two readings: coverage, totals, and usage of the labels that had traffic.

    ``point`` is its place among the points of the batch. ``start`` and ``end`` are the true times of the readings, in nanoseconds since
    the UTC epoch; ``generation``, ``classifier`` (digest) and ``revision`` say by what was counted, and are empty or 0 in a gap.
    ``coverage`` and ``reason`` are spelled as in ``core.domain.coverage``, ``segments`` as in ``core.domain.generation``; ``place``
    tells the device on the host, as ``namespace/device`` or ``device``.
    """

    point: int
    place: str
    start: int
    end: int
    coverage: str = "complete"
    reason: str = ""
    generation: str = ""
    classifier: str = ""
    revision: int = 0
    segments: str = "wire"
    totals: list[DirectionTotals] = field(default_factory=list)
    usage: list[UsageRow] = field(default_factory=list)


class Batch(Struct, kw_only=True, frozen=True):
    """What an agent metered, in the order of its readings; ``sealed_at`` is in nanoseconds since the UTC epoch."""

    version: int
    sealed_at: int
    points: list[BatchPoint]
    labels: list[BatchLabel]
    intervals: list[MeteredInterval]


class Envelope(Struct, kw_only=True, frozen=True):
    """A sealed batch: who says it, its place in the chain of its spool (sequence from 1), and the payload as it was sealed."""

    agent_id: str
    host: str
    spool_id: str
    sequence: int
    previous: bytes
    digest: bytes
    payload: bytes


encode_batch = msgspec.msgpack.Encoder().encode
"""Give a batch or an envelope in MessagePack."""

decode_batch = msgspec.msgpack.Decoder(Batch).decode
"""Read a payload; raises ``msgspec.DecodeError`` and ``msgspec.ValidationError`` for what is none."""

decode_envelope = msgspec.msgpack.Decoder(Envelope).decode
"""Read an envelope; raises as ``decode_batch`` does."""
