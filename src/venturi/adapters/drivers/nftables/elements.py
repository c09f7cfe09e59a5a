"""Elements of sets: prefixes and intervals that count, on their way into the kernel and out of it.

Owns their encoding. Each element that counts has the class that it counts for as its comment, so that its counts can be read by whoever
finds them.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from venturi.adapters.drivers.nftables.expressions import jump_value
from venturi.adapters.drivers.nftables.netlink import attribute, nested, number, read_attributes, text
from venturi.core.domain.counts import Counts

_MESSAGE_OCTETS = 60_000
_LIST_ELEMENT, _VALUE = 1, 1
_KEY, _DATA, _FLAGS, _USER_DATA, _EXPRESSION = 1, 2, 3, 6, 7
_INTERVAL_END, _CATCH_ALL = 1, 2
_EXPRESSION_BODY, _OCTETS, _PACKETS = 2, 1, 2
_COMMENT = 0
_COUNT = struct.Struct("!Q")
_STARTS = struct.Struct("=HHHH")
_FIGURES = struct.Struct("!Q4xQ")
_HEADER_OCTETS = 4
_COUNTER_START = struct.pack("=HH", 44, _EXPRESSION) + text(1, "counter") + struct.pack("=HHHH", 28, _EXPRESSION_BODY, 12, _OCTETS)
"""What stands before the octets of an element that counts."""

_COUNTED = re.compile(re.escape(_COUNTER_START) + b".{%d}" % _FIGURES.size, re.DOTALL)


class CountedClass(NamedTuple):
    """What an element counted for its class."""

    class_number: int
    counts: Counts


def prefix_elements(octets: int, firsts: Sequence[tuple[int, int]]) -> list[bytes]:
    """Give an element that counts for each first address (of ``octets``) and its class."""
    return [_element(_key(first.to_bytes(octets, "big")), _class(class_number)) for first, class_number in firsts]


def interval_end(address: bytes) -> bytes:
    """Give the element before which an interval ends."""
    return _element(number(_FLAGS, _INTERVAL_END), _key(address))


def other_element(class_number: int) -> bytes:
    """Give the element that counts what no other does."""
    return _element(number(_FLAGS, _CATCH_ALL), _class(class_number))


def jump_element(address: bytes, chain: str) -> bytes:
    """Give the element of an interval map that sends packets to a chain, from an address to the next element."""
    return _element(_key(address), jump_value(_DATA, chain))


def in_messages(elements: Sequence[bytes]) -> Iterator[bytes]:
    """Join elements into as many as a message holds: its list of them ends at 64 KiB."""
    first, octets = 0, 0
    for place, element in enumerate(elements):
        if octets + len(element) > _MESSAGE_OCTETS:
            yield b"".join(elements[first:place])
            first, octets = place, 0
        octets += len(element)
    yield b"".join(elements[first:])


def read_elements(elements: memoryview) -> Iterator[CountedClass]:
    """Give what elements counted, those that counted nothing left out.

    As good as all elements of a dump are laid out alike, which is checked for each and saves nine tenths of the time.
    """
    place = 0
    while place < len(elements):
        length, _, key_length, key_kind = _STARTS.unpack_from(elements, place)
        counter = place + _HEADER_OCTETS + key_length
        counts = counter + len(_COUNTER_START)
        if key_kind == _KEY and elements[counter:counts] == _COUNTER_START:
            octets, packets = _FIGURES.unpack_from(elements, counts)
            comment = elements[counts + _FIGURES.size + _HEADER_OCTETS + 2 : place + length]
            counted = CountedClass(int(bytes(comment).partition(b"\0")[0]), Counts(packets, octets)) if packets else None
        else:
            counted = _read_element(elements[place + _HEADER_OCTETS : place + length])
        if counted is not None:
            yield counted
        place += length + 3 & ~3


def without_counts(elements: memoryview) -> bytes:
    """Give elements as they came out of the kernel, but for what they counted."""
    return _COUNTED.sub(_COUNTER_START, elements)


def _read_element(element: memoryview) -> CountedClass | None:
    """Read one element, None for one that counts nothing or ends an interval."""
    attributes = dict(read_attributes(element))
    if _EXPRESSION not in attributes or _USER_DATA not in attributes:
        return None
    figures = dict(read_attributes(dict(read_attributes(attributes[_EXPRESSION]))[_EXPRESSION_BODY]))
    counts = Counts(_COUNT.unpack(figures[_PACKETS])[0], _COUNT.unpack(figures[_OCTETS])[0])
    return CountedClass(int(bytes(attributes[_USER_DATA][2:-1])), counts) if counts.packets else None


def _element(*attributes: bytes) -> bytes:
    return nested(_LIST_ELEMENT, *attributes)


def _key(address: bytes) -> bytes:
    return nested(_KEY, attribute(_VALUE, address))


def _class(class_number: int) -> bytes:
    comment = b"%d\0" % class_number
    return attribute(_USER_DATA, bytes((_COMMENT, len(comment))), comment)
