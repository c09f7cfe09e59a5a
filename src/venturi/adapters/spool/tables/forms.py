"""How what a spool keeps is laid down: MessagePack, compressed.

Owns the form of blobs. Which table a blob belongs to is for the modules of the tables.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import zstandard
from msgspec import Struct
from numpy.typing import NDArray

from venturi.adapters.spool.values import GenerationState, LastReading, Moment, SpooledGeneration
from venturi.core.classify.pair_totals import PairTotals, no_pair_totals
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import SpoolError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix
from venturi.core.ledger.batch import BatchLabel, BatchPoint, MeteredInterval
from venturi.core.ledger.recorded import LabelSet, RecordedInterval

_LEVEL = 1
"""Of compression: a reading of 10,000 class pairs takes a millisecond."""

_COLUMN_TYPES: tuple[np.dtype[Any], ...] = tuple(column.dtype for column in no_pair_totals())


class _Rule(Struct, array_like=True):
    """A rule of a label; prefixes as texts, for an address may need more than 64 bits."""

    id: str
    direction: Direction
    source: str | None
    destination: str | None
    excluded: bool


class _Label(Struct, array_like=True):
    label: MeteringLabel
    rules: list[_Rule]


class _Place(Struct):
    """A generation without its state and its last reading, which have columns and rows of their own."""

    generation: Generation
    metered: MeteredDevice
    point: BatchPoint
    driver: str
    revision: int
    entered: Moment


class _Reading(Struct):
    moment: Moment
    columns: list[bytes]
    unattributed: dict[Direction, tuple[int, int]]


class _Interval(Struct, array_like=True):
    point: BatchPoint
    interval: MeteredInterval


def pack(content: object) -> bytes:
    """Lay a value down."""
    return compress(msgspec.msgpack.encode(content))


def compress(content: bytes) -> bytes:
    """Compress octets, with a check sum, so that damage to the file does not pass for counts."""
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(content)


def decompress(blob: bytes) -> bytes:
    """Give octets as they were compressed; raises ``SpoolError`` where the blob was damaged."""
    try:
        return zstandard.ZstdDecompressor().decompress(blob)
    except zstandard.ZstdError as error:
        message = f"the spool is damaged: {error}"
        raise SpoolError(message) from error


def _unpack(blob: bytes, form: Any) -> Any:  # noqa: ANN401 - as msgspec has it
    try:
        return msgspec.msgpack.decode(decompress(blob), type=form)
    except msgspec.DecodeError as error:
        message = f"the spool is damaged: {error}"
        raise SpoolError(message) from error


def pack_classifier(labels: tuple[LabelWithRules, ...]) -> bytes:
    """Lay down the labels of a classifier and their rules."""
    return pack([_Label(entry.label, [_spell_rule(rule) for rule in entry.rules]) for entry in labels])


def _spell_rule(rule: MeteringLabelRule) -> _Rule:
    source, destination = (None if prefix is None else str(prefix) for prefix in (rule.source_ip_prefix, rule.destination_ip_prefix))
    return _Rule(rule.id, rule.direction, source, destination, rule.excluded)


def unpack_classifier(blob: bytes) -> tuple[LabelWithRules, ...]:
    """Give the labels of a classifier as they were, in their order."""
    labels: list[_Label] = _unpack(blob, list[_Label])
    return tuple(LabelWithRules(entry.label, tuple(_read_rule(entry.label.id, rule) for rule in entry.rules)) for entry in labels)


def _read_rule(label_id: str, rule: _Rule) -> MeteringLabelRule:
    return MeteringLabelRule(
        id=rule.id,
        metering_label_id=label_id,
        direction=rule.direction,
        source_ip_prefix=None if rule.source is None else Prefix.parse(rule.source),
        destination_ip_prefix=None if rule.destination is None else Prefix.parse(rule.destination),
        excluded=rule.excluded,
    )


def pack_generation(spooled: SpooledGeneration) -> bytes:
    """Lay down what never changes of a generation."""
    place = _Place(spooled.generation, spooled.metered, spooled.point, spooled.driver, spooled.revision, spooled.entered)
    return pack(place)


def unpack_generation(blob: bytes, state: str, last: bytes | None) -> SpooledGeneration:
    """Give a generation with its state and last reading."""
    place: _Place = _unpack(blob, _Place)
    return SpooledGeneration(
        **msgspec.structs.asdict(place), state=GenerationState(state), last=None if last is None else unpack_reading(last)
    )


def pack_reading(reading: LastReading) -> bytes:
    """Lay down totals, column by column in little-endian order."""
    counted: Sequence[NDArray[Any]] = reading.pairs
    columns = [_spell_column(column, kind) for column, kind in zip(counted, _COLUMN_TYPES, strict=True)]
    unattributed = {direction: (counts.packets, counts.octets) for direction, counts in reading.unattributed.items()}
    return pack(_Reading(reading.moment, columns, unattributed))


def _spell_column(column: NDArray[Any], kind: np.dtype[Any]) -> bytes:
    return column.astype(kind.newbyteorder("<")).tobytes()


def unpack_reading(blob: bytes) -> LastReading:
    """Give totals as they were read."""
    reading: _Reading = _unpack(blob, _Reading)
    columns = [_read_column(column, kind) for column, kind in zip(reading.columns, _COLUMN_TYPES, strict=True)]
    unattributed = {direction: Counts(*counts) for direction, counts in reading.unattributed.items()}
    return LastReading(moment=reading.moment, pairs=PairTotals(*columns), unattributed=unattributed)


def _read_column(column: bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    return np.frombuffer(column, kind.newbyteorder("<")).astype(kind)


def pack_interval(recorded: RecordedInterval) -> bytes:
    """Lay down an interval without its labels, which many share."""
    return pack(_Interval(recorded.point, recorded.interval))


def unpack_interval(blob: bytes, labels: LabelSet) -> RecordedInterval:
    """Give an interval as it was recorded."""
    interval: _Interval = _unpack(blob, _Interval)
    return RecordedInterval(interval.point, labels, interval.interval)


def unpack_labels(blob: bytes) -> LabelSet:
    """Give a set of labels."""
    return LabelSet(tuple(_unpack(blob, list[BatchLabel])))
