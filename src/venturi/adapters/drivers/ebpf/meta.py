"""What is pinned beside the counters of a generation, so that any process knows what they are.

Owns the form of that record, which belongs to the layout version of the pins.
"""

import msgspec

from venturi.adapters.drivers.ebpf.layout import PairSet
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Generation, MeteredDevice, Segments

META_OCTETS = 4096
"""The size of the record in the kernel; what it does not fill is zero."""


class DevicePlace(msgspec.Struct, frozen=True):
    """Which device a name stood for: its ifIndex, and device and inode of its network namespace."""

    index: int
    namespace: tuple[int, int]


class GenerationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a generation without its classifier."""

    metered: MeteredDevice
    generation: Generation
    place: DevicePlace
    segments: Segments
    sets: list[PairSet]


def encode_record(record: GenerationRecord) -> bytes:
    """Spell a record in ``META_OCTETS``; raises ``DriverError`` where names are too long for it."""
    text = msgspec.json.encode(record)
    if len(text) > META_OCTETS:
        message = f"the names of point '{record.metered.point_id}' are too long"
        raise DriverError(message)
    return text.ljust(META_OCTETS, b"\0")


def decode_record(octets: bytes) -> GenerationRecord:
    """Read what ``encode_record`` spelt; raises ``DriverError`` for anything else."""
    try:
        return msgspec.json.decode(octets.rstrip(b"\0"), type=GenerationRecord)
    except msgspec.MsgspecError as error:
        message = f"a pinned generation is not described as this version does: {error}"
        raise DriverError(message) from error
