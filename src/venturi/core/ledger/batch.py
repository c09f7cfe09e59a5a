"""The batch: usage and coverage on their way from an agent's spool to the ledger.

Owns names and order of its fields, and the reading of every version of the form that was ever sealed, for good. A batch travels as an
envelope: the payload is the batch in MessagePack, the digest chains it to the batch before it (``chain``), and the whole envelope, in
MessagePack too, is compressed with Zstandard.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct, field

HIGHEST = (1 << 63) - 1
"""The highest count that is posted, and the highest sum that a roll-up holds."""

Count = Annotated[int, Meta(ge=0, le=HIGHEST)]
"""Packets or octets of one record."""

Time = Annotated[int, Meta(ge=0, le=1 << 62)]
"""Nanoseconds since the UTC epoch."""

Place = Annotated[int, Meta(ge=0)]
"""A place in a list, from 0."""

CountedDirection = Annotated[int, Meta(ge=0, le=2)]
"""The code of a direction that counts are kept by: ingress, egress or unknown."""

Text = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00]*\Z")]
"""A text that every database can hold."""

Identifier = Annotated[str, Meta(min_length=1, max_length=36, pattern=r"^[!-~]*\Z")]
"""An id: of a label or point a UUID, of a spool or generation 32 hexadecimal digits."""

AgentId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,254}\Z")]
"""What an agent calls itself."""

HostName = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[!-~]*\Z")]
"""What the host of an agent is called."""

Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""A digest of 256 bits."""

BATCH_VERSION = 1
"""The version of the form that is sealed; those that are read are the keys of ``BATCH_FORMS``."""

MEDIA_TYPE = "application/vnd.venturi.batch"
"""The media type of an envelope, compressed."""


class BatchLabel(Struct, array_like=True, frozen=True, gc=False):
    """A label as it was when its traffic was counted."""

    id: Identifier
    name: Text
    project_id: Text
    shared: bool


class BatchPoint(Struct, array_like=True, frozen=True, gc=False):
    """An observation point as it was when it was metered."""

    id: Identifier
    name: Text
    project_id: Text
    shared: bool
    kind: str


class DirectionTotals(Struct, array_like=True, frozen=True, gc=False):
    """All that was counted in one direction (a code of ``DirectionCode``).

    Parts of packets and octets, each packet in one: ``unmatched`` and ``unattributed``; ``several``, which own labels of two or more
    projects counted; ``shared``, which shared labels alone counted. The last two are 0 where the interval has no ``project_usage``.
    """

    direction: CountedDirection
    packets: Count
    octets: Count
    unmatched_packets: Count = 0
    unmatched_octets: Count = 0
    unattributed_packets: Count = 0
    unattributed_octets: Count = 0
    several_packets: Count = 0
    several_octets: Count = 0
    shared_packets: Count = 0
    shared_octets: Count = 0


class UsageRow(Struct, array_like=True, frozen=True, gc=False):
    """What one label counted in one direction; ``label`` is its place among the labels of the batch."""

    label: Place
    direction: CountedDirection
    packets: Count
    octets: Count


class ProjectUsage(Struct, array_like=True, frozen=True, gc=False):
    """What a project used in one direction, each packet once: what at least one of its own labels counted.

    ``alone`` is the part of it that no other project's own labels counted.
    """

    project_id: Text
    direction: CountedDirection
    packets: Count
    octets: Count
    alone_packets: Count
    alone_octets: Count


class MeteredInterval(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One point between two readings: coverage, totals, and usage of the labels that had traffic.

    ``point`` is its place among the points of the batch. ``start`` and ``end`` are the true times of the readings, in nanoseconds since
    the UTC epoch; ``generation``, ``classifier`` (digest) and ``revision`` say by what was counted, and are empty or 0 in a gap.
    ``coverage`` and ``reason`` are spelled as in ``core.domain.coverage``, ``segments`` as in ``core.domain.generation``; ``place``
    tells the device on the host, as ``namespace/device`` or ``device``. ``project_usage`` are rows of ``ProjectUsage`` in MessagePack,
    empty where they were not recorded: octets, so that servers that do not know of them pass them as one value.
    """

    point: Place
    place: Text
    start: Time
    end: Time
    coverage: str = "complete"
    reason: str = ""
    generation: Annotated[str, Meta(max_length=36, pattern=r"^[!-~]*\Z")] = ""
    classifier: Annotated[str, Meta(max_length=128, pattern=r"^[!-~]*\Z")] = ""
    revision: Count = 0
    segments: str = "wire"
    totals: list[DirectionTotals] = field(default_factory=list)
    usage: list[UsageRow] = field(default_factory=list)
    project_usage: bytes = b""


class Batch(Struct, kw_only=True, frozen=True):
    """What an agent metered, in the order of its readings; ``sealed_at`` is in nanoseconds since the UTC epoch."""

    version: int
    sealed_at: Time
    points: list[BatchPoint]
    labels: list[BatchLabel]
    intervals: list[MeteredInterval]


class _Versioned(Struct, frozen=True):
    """What a batch of every version says of itself."""

    version: int


class Envelope(Struct, kw_only=True, frozen=True):
    """A sealed batch: who says it, its place in the chain of its spool (sequence from 1), and the payload as it was sealed."""

    agent_id: AgentId
    host: HostName
    spool_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    sequence: Annotated[int, Meta(ge=1, le=1 << 62)]
    previous: Digest
    digest: Digest
    payload: bytes


class ReceivedEnvelope(Envelope, kw_only=True, frozen=True):
    """An envelope whose payload stays where it was received: nothing is copied."""

    payload: memoryview  # type: ignore[assignment] # octets all the same


encode_batch = msgspec.msgpack.Encoder().encode
"""Give a batch or an envelope in MessagePack."""

_EMPTY_LIST = b"\x90"
_decode_list = msgspec.msgpack.Decoder(list[Raw]).decode

decode_project_usage = msgspec.msgpack.Decoder(list[ProjectUsage]).decode
"""Read the rows of ``project_usage``; raises ``msgspec.DecodeError`` and ``msgspec.ValidationError``."""


def read_project_usage(interval: MeteredInterval) -> list[ProjectUsage]:
    """Give what projects used in an interval, nothing where that was not recorded; raises as ``decode_project_usage`` does."""
    return decode_project_usage(interval.project_usage) if interval.project_usage else []


def count_entries(interval: MeteredInterval) -> int:
    """Give how many entries an interval has in a ledger; raises as ``decode_project_usage`` does."""
    return 1 + len(interval.totals) + len(interval.usage) + len(_decode_list(interval.project_usage or _EMPTY_LIST))


LARGE = 1 << 16
"""From how many octets on a list or an interval is read value by value."""

Value = TypeVar("Value")


class _Lists(Struct, kw_only=True, frozen=True):
    """A payload of version 1 before its lists are read."""

    version: int
    sealed_at: Time
    points: Raw
    labels: Raw
    intervals: Raw


class _LargeInterval(MeteredInterval, kw_only=True, frozen=True):
    """An interval before its usage is read."""

    usage: Raw = Raw(b"\x90")  # type: ignore[assignment] # the rows, in MessagePack


_decode_lists = msgspec.msgpack.Decoder(_Lists).decode
_decode_label = msgspec.msgpack.Decoder(BatchLabel).decode
_decode_point = msgspec.msgpack.Decoder(BatchPoint).decode
_decode_row = msgspec.msgpack.Decoder(UsageRow).decode
_decode_interval = msgspec.msgpack.Decoder(MeteredInterval).decode
_decode_large_interval = msgspec.msgpack.Decoder(_LargeInterval).decode
_decode_whole = msgspec.msgpack.Decoder(Batch).decode


def _read_batch_1(payload: bytes) -> Batch:
    """Read a payload of version 1, of a large one a value at a time: the decoder keeps the interpreter while it works."""
    if len(payload) < LARGE:
        return _decode_whole(payload)
    lists = _decode_lists(payload)
    return Batch(
        version=lists.version,
        sealed_at=lists.sealed_at,
        points=_read_list(lists.points, _decode_point, "points"),
        labels=_read_list(lists.labels, _decode_label, "labels"),
        intervals=_read_list(lists.intervals, _read_interval, "intervals"),
    )


def _read_interval(content: Raw) -> MeteredInterval:
    if len(content) < LARGE:
        return _decode_interval(content)
    large = _decode_large_interval(content)
    told: dict[str, Any] = {name: getattr(large, name) for name in MeteredInterval.__struct_fields__}
    return MeteredInterval(**(told | {"usage": _read_list(large.usage, _decode_row, "usage")}))


def _read_list(content: Raw, read: Callable[[Raw], Value], name: str) -> list[Value]:
    """Read the values of a list, one by one; an error names its place as the decoder of a whole batch does."""
    values: list[Value] | None = None
    try:
        waiting = _decode_list(content)
        values = []
        for value in waiting:
            values.append(read(value))
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `")
        where = name if values is None else f"{name}[{len(values)}]"
        message = f"{reason} - at `$.{where}{place.removeprefix('$') or '`'}"
        raise msgspec.ValidationError(message) from error
    return values


BATCH_FORMS: Mapping[int, Callable[[bytes], Batch]] = MappingProxyType({1: _read_batch_1})
"""What reads a payload of each version, and gives it as a batch of the present one. Versions are added here and never removed."""

_decode_version = msgspec.msgpack.Decoder(_Versioned).decode


def decode_batch(payload: bytes) -> Batch:
    """Read a payload of any version; raises ``msgspec.DecodeError`` and ``msgspec.ValidationError`` for what is none."""
    version = _decode_version(payload).version
    form = BATCH_FORMS.get(version)
    if form is None:
        message = f"{version} is not known here - at `$.version`"
        raise msgspec.ValidationError(message)
    return form(payload)


decode_envelope: Callable[[bytes | bytearray], Envelope] = msgspec.msgpack.Decoder(ReceivedEnvelope).decode
"""Read an envelope, whose payload stays where it is; raises as ``decode_batch`` does."""
