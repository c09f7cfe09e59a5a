"""Where the messages of a file of bare export messages begin and end.

Owns the lengths of whole messages. A NetFlow v9 message states none: it ends where the next set would have a number that is a version.
"""

from venturi.core.decode.capture.words import Octets, network_16, network_32
from venturi.core.decode.export.kernels.sflow import AGENT_TYPE, SFLOW_VERSION, header_length
from venturi.core.decode.export.kernels.state import Words
from venturi.core.kernel import kernel, step

LONGEST_MESSAGE = 65_535
UNREADABLE = -1
"""Instead of a length: no message that we know begins here."""
INCOMPLETE = 0
"""Instead of a length: the message goes on behind the buffer."""

_HEADER = 4
_V5 = 5
_V9 = 9
_IPFIX = 10
_V5_HEADER = 24
_V5_RECORD = 48
_MOST_V5_RECORDS = 1364
_V9_HEADER = 20
_IPFIX_HEADER = 16
_SAMPLE_HEADER = 8


@step
def v9_length(buffer: Octets, start: int, end: int) -> int:
    """Give the length of the NetFlow v9 message at ``start``, ``INCOMPLETE`` if its end is not seen before ``end``.

    A set with an impossible length ends it behind the header of that set.
    """
    place = start + _V9_HEADER
    while place + _HEADER <= end:
        number = network_16(buffer, place)
        length = network_16(buffer, place + 2)
        if number in (_V5, _V9, _IPFIX) or (number == 0 and length == SFLOW_VERSION):
            return place - start
        if length < _HEADER:
            return place + _HEADER - start
        if place + length - start > LONGEST_MESSAGE:
            return place - start
        place += length
    return INCOMPLETE


@step
def sflow_length(buffer: Octets, start: int, end: int) -> int:
    """Give the length of the sFlow datagram at ``start``, from the samples that it announces."""
    header = header_length(network_32(buffer, start + AGENT_TYPE))
    if header == 0:
        return UNREADABLE
    if start + header > end:
        return INCOMPLETE
    place = start + header
    left = network_32(buffer, place - 4)
    while left > 0:
        if place + _SAMPLE_HEADER > end:
            return INCOMPLETE
        place += _SAMPLE_HEADER + network_32(buffer, place + 4)
        if place - start > LONGEST_MESSAGE:
            return UNREADABLE
        left -= 1
    return place - start


@step
def message_length(buffer: Octets, start: int, end: int) -> int:
    """Give the length of the message at ``start``, ``INCOMPLETE`` or ``UNREADABLE``; what is stated may reach behind ``end``."""
    if start + _V9_HEADER > end:
        return INCOMPLETE
    version = network_16(buffer, start)
    following = network_16(buffer, start + 2)
    if version == _V9:
        return v9_length(buffer, start, end)
    if version == 0 and following == SFLOW_VERSION:
        return sflow_length(buffer, start, end)
    if version == _V5 and 1 <= following <= _MOST_V5_RECORDS:
        return _V5_HEADER + _V5_RECORD * following
    return following if version == _IPFIX and following >= _IPFIX_HEADER else UNREADABLE


@kernel
def locate_messages(buffer: Octets, start: int, final: int, places: Words) -> tuple[int, int, int]:
    """Find the messages from ``start`` on, at most as many as ``places`` (int64, shape (messages, 2): place and length) has rows.

    Gives how many there are, where the next one begins, and 1 if nothing behind can be read. With ``final`` 1 nothing
    follows the buffer: its last message is what there is of it.
    """
    end = len(buffer)
    count = 0
    while count < len(places) and start < end:
        length = message_length(buffer, start, end)
        if length == UNREADABLE:
            return count, start, 1
        if length == INCOMPLETE or start + length > end:
            if not final:
                break
            length = end - start
        places[count, 0] = start
        places[count, 1] = length
        start += length
        count += 1
    return count, start, 0
