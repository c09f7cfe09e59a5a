"""Files of bare export messages, one after another: RFC 5655 IPFIX files, and raw datagrams of any protocol.

Owns the cutting of a file into messages, and the check by structure alone that tells whether octets are a message. Such a file names no
exporter and no time of receipt.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.kernels.extents import locate_messages
from venturi.core.decode.export.kernels.state import Words
from venturi.core.decode.frames import NO_TIME, Datagrams
from venturi.core.domain.drops import DropReason, add_drop, new_drop_table
from venturi.core.domain.flow_batch import FlowBatch

_MOST_MESSAGES = 16_384
_SET_HEADER = struct.Struct("!HH")
_SFLOW_HEADER = struct.Struct("!II")
_V5, _V9, _IPFIX, _SFLOW = 5, 9, 10, 5
_V5_HEADER, _V5_RECORD, _MOST_V5_RECORDS = 24, 48, 30
_V9_HEADER, _IPFIX_HEADER = 20, 16
_FIRST_DATA_SET = 256
_TEMPLATE_SETS = {_V9: (0, 1), _IPFIX: (2, 3)}
_SFLOW_HEADERS = {1: 28, 2: 40}


class MessageFileDecoder:
    """Decodes the messages of one file (a ``StreamDecoder``); positions in its drop table are octet offsets in the file."""

    def __init__(self, decoder: ExportDecoder) -> None:
        """Hand the messages to ``decoder``, which may know templates from files before."""
        self.drops = new_drop_table()
        self._decoder = decoder
        self._before = decoder.records
        self._passed = 0
        self._unreadable = False

    @property
    def records(self) -> int:
        """Flow records and samples of this file decoded so far."""
        return self._decoder.records - self._before

    def decode(self, buffer: NDArray[np.uint8], *, final: bool) -> tuple[FlowBatch, int]:
        """Decode the whole messages in ``buffer``; as ``StreamDecoder.decode``.

        A file cut within a message yields what the message still holds. Where no message begins, the rest of the file cannot be read.
        """
        buffer = np.require(buffer, requirements=["C", "W"])
        batches = [FlowBatch.empty(0)]
        place = len(buffer) if self._unreadable else 0
        found = _MOST_MESSAGES
        while found == _MOST_MESSAGES and place < len(buffer):
            places = np.empty((_MOST_MESSAGES, 2), dtype=np.int64)
            found, place, unreadable = locate_messages(buffer, place, int(final), places)
            batches.append(self._decoder.decode(self._datagrams(buffer, places[:found]), self.drops))
            if unreadable:
                add_drop(self.drops, DropReason.BAD_RECORD_LENGTH, self._passed + place)
                self._unreadable = True
                place = len(buffer)
        self._passed += place
        if final:
            self._decoder.finish(self.drops)
        return FlowBatch.concatenate(*batches) if len(batches) > 2 else batches[-1], place

    def _datagrams(self, buffer: NDArray[np.uint8], places: Words) -> Datagrams:
        count = len(places)
        nowhere = np.zeros(count, dtype=np.uint64)
        no_port = np.zeros(count, dtype=np.int64)
        return Datagrams(
            buffer=buffer,
            offset=places[:, 0],
            length=places[:, 1],
            time=np.full(count, NO_TIME, dtype=np.int64),
            family=np.zeros(count, dtype=np.uint8),
            source_high=nowhere,
            source_low=nowhere,
            destination_high=nowhere,
            destination_low=nowhere,
            source_port=no_port,
            destination_port=no_port,
            position=places[:, 0] + self._passed,
        )


def is_export_message(buffer: NDArray[np.uint8], offset: int, length: int) -> bool:
    """Tell whether the ``length`` octets at ``offset`` are built like a message of NetFlow v5, v9, IPFIX or sFlow v5, maybe with padding.

    NetFlow v5 must hold the flows that it states; sets and samples must add up to their message.
    """
    octets = buffer[offset : offset + length].tobytes()
    if len(octets) < _IPFIX_HEADER:
        return False
    version, following = int.from_bytes(octets[:2]), int.from_bytes(octets[2:4])
    if version == _V5:
        return 1 <= following <= _MOST_V5_RECORDS and len(octets) >= _V5_HEADER + _V5_RECORD * following
    if version == _V9:
        return _sets_add_up(octets[_V9_HEADER:], version)
    if version == _IPFIX:
        return following <= len(octets) and _sets_add_up(octets[_IPFIX_HEADER:following], version)
    return version == 0 and following == _SFLOW and _samples_add_up(octets)


def count_export_messages(datagrams: Datagrams) -> int:
    """Count the datagrams that are built like messages of flow export."""
    places = zip(datagrams.offset.tolist(), datagrams.length.tolist(), strict=True)
    return sum(is_export_message(datagrams.buffer, offset, length) for offset, length in places)


def _sets_add_up(octets: bytes, version: int) -> bool:
    numbers = list(_set_numbers(octets))
    known = _TEMPLATE_SETS[version]
    return bool(numbers) and all(number in known or number >= _FIRST_DATA_SET for number in numbers)


def _set_numbers(octets: bytes) -> Iterator[int]:
    """Give the numbers of the sets up to padding, -1 for one whose length does not fit."""
    place = 0
    while len(octets) - place >= _SET_HEADER.size and any(octets[place:]):
        number, length = _SET_HEADER.unpack_from(octets, place)
        if length < _SET_HEADER.size or place + length > len(octets):
            yield -1
            return
        yield number
        place += length


def _samples_add_up(octets: bytes) -> bool:
    place = _SFLOW_HEADERS.get(int.from_bytes(octets[4:8]), len(octets) + 1)
    if place > len(octets):
        return False
    for _ in range(int.from_bytes(octets[place - 4 : place])):
        if place + _SFLOW_HEADER.size > len(octets):
            return False
        _, length = _SFLOW_HEADER.unpack_from(octets, place)
        place += _SFLOW_HEADER.size + length
    return place <= len(octets)
