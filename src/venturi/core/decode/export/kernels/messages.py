"""The walk over datagrams: which protocol each speaks, its header, its observation domain, then its sets or samples.

Owns message headers (RFC 3954 §5.1, RFC 7011 §3.1, Cisco NetFlow v5, sFlow v5) and the order of things.
"""

from venturi.core.decode.capture.words import Octets, network_16, network_32
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.bookkeeping import count_drop, observe_sequence
from venturi.core.decode.export.kernels.lookup import find
from venturi.core.decode.export.kernels.records import RATE_REFUSED, WITHOUT_NUMBER, rate_number, write_block
from venturi.core.decode.export.kernels.sets import V9, find_records, pass_block
from venturi.core.decode.export.kernels.sflow import AGENT_ADDRESS, AGENT_TYPE, SFLOW_VERSION, header_length
from venturi.core.decode.export.kernels.state import Columns, Event, Tables, Words
from venturi.core.domain.drops import DropReason
from venturi.core.kernel import constant, kernel, step

V5 = 5
IPFIX = 10
V5_HEADER = 24
V5_RECORD = 48
V9_HEADER = 20
IPFIX_HEADER = 16

_DONE = int(Event.DONE)
_NEED_ROOM = int(Event.NEED_ROOM)
_NEW_RATE = int(Event.NEW_RATE)
_NEW_DOMAIN = int(Event.NEW_DOMAIN)
_SFLOW_DATAGRAM = int(Event.SFLOW_DATAGRAM)
_NOT_EXPORT = constant(DropReason.NOT_EXPORT)
_MALFORMED_MESSAGE = constant(DropReason.MALFORMED_MESSAGE)
_REVISED_EXPORT = constant(DropReason.REVISED_EXPORT)
_TEMPLATE_LIMIT = constant(DropReason.TEMPLATE_LIMIT)
_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
_WRAP = 1 << 32
_V5_INTERVAL = 0x3FFF


@kernel
def walk_datagrams(buffer: Octets, datagrams: Words, tables: Tables, columns: Columns, cursor: Words, drops: Words) -> int:
    """Decode datagrams (shape (datagrams, DATAGRAM_SLOTS)) from the cursor on, up to one of sFlow; an event."""
    room = columns.words.shape[1]
    while cursor[state.DATAGRAM] < datagrams.shape[0]:
        event = state.CONTINUE
        if not cursor[state.IN_MESSAGE]:
            event = open_message(buffer, datagrams[cursor[state.DATAGRAM]], tables, cursor, drops)
        if event == state.CONTINUE:
            if cursor[state.VERSION] == V5:
                event = find_v5_records(buffer, tables, room, cursor, drops)
            else:
                event = find_records(buffer, tables, room, cursor, drops)
        if event == state.BLOCK:
            event = write_block(buffer, tables, columns, cursor, drops)
            if event == state.CONTINUE:
                pass_block(cursor)
                continue
        if event >= 0:
            return event
        if event == state.CONTINUE:
            close_message(tables, cursor)
        cursor[state.IN_MESSAGE] = 0
        cursor[state.DATAGRAM] += 1
    return _DONE


@step
def open_message(buffer: Octets, datagram: Words, tables: Tables, cursor: Words, drops: Words) -> int:
    """Read the header of a datagram; ``CONTINUE``, an event, or ``SKIPPED`` where there is nothing to walk."""
    start = datagram[state.DATAGRAM_OFFSET]
    end = start + datagram[state.DATAGRAM_LENGTH]
    cursor[state.POSITION] = datagram[state.DATAGRAM_POSITION]
    version = -_MALFORMED_MESSAGE - 1
    if 0 <= start <= end <= len(buffer):
        version = message_version(buffer, start, end)
    if version < 0:
        count_drop(drops, -version - 1, cursor[state.POSITION], state.ONE)
        return state.SKIPPED
    if version == state.SFLOW:
        return _SFLOW_DATAGRAM
    cursor[state.VERSION] = version
    domain = find_domain(buffer, datagram, tables, cursor)
    if domain < 0:
        if not cursor[state.DOMAINS_FULL]:
            return _NEW_DOMAIN
        count_drop(drops, _TEMPLATE_LIMIT, cursor[state.POSITION], state.ONE)
        return state.SKIPPED
    cursor[state.DOMAIN] = domain
    cursor[state.MESSAGE_END] = end
    cursor[state.MESSAGE_RECORDS] = 0
    cursor[state.UNCOUNTABLE] = 0
    cursor[state.RECORD_PLACE] = 0
    cursor[state.IN_MESSAGE] = 1
    read_header(buffer, start, datagram[state.DATAGRAM_TIME], tables.domains[domain], cursor)
    if version == IPFIX:
        bound_message(buffer, start, cursor, drops)
    return state.CONTINUE


@step
def read_header(buffer: Octets, start: int, received: int, domain: Words, cursor: Words) -> None:
    """Take times, sequence number and the place of the first set or sample from a header; ``received`` is negative if unknown."""
    version = cursor[state.VERSION]
    cursor[state.RATE] = -1
    cursor[state.UPTIME] = -1
    if version == IPFIX:
        cursor[state.EXPORT_TIME] = network_32(buffer, start + 4) * _SECOND
        cursor[state.SEQUENCE] = network_32(buffer, start + 8)
        cursor[state.OFFSET] = start + IPFIX_HEADER
        if domain[state.INITIAL_TIME] >= 0:
            cursor[state.UPTIME] = (cursor[state.EXPORT_TIME] // _MILLISECOND - domain[state.INITIAL_TIME]) & (_WRAP - 1)
    else:
        cursor[state.UPTIME] = network_32(buffer, start + 4)
        cursor[state.EXPORT_TIME] = network_32(buffer, start + 8) * _SECOND
        cursor[state.SEQUENCE] = network_32(buffer, start + (12 if version == V9 else 16))
        cursor[state.OFFSET] = start + (V9_HEADER if version == V9 else 0)
        if version == V5:
            cursor[state.EXPORT_TIME] += min(network_32(buffer, start + 12), _SECOND - 1)
    cursor[state.REFERENCE_TIME] = received if received >= 0 else cursor[state.EXPORT_TIME]


@step
def bound_message(buffer: Octets, start: int, cursor: Words, drops: Words) -> None:
    """End an IPFIX message where its header says; what is left of the datagram must be zeros, and nothing may be missing."""
    stated = start + network_16(buffer, start + 2)
    end = cursor[state.MESSAGE_END]
    fits = start + IPFIX_HEADER <= stated <= end
    if start + IPFIX_HEADER <= stated < end:
        for place in range(stated, end):
            fits &= buffer[place] == 0
        cursor[state.MESSAGE_END] = stated
    elif stated < start + IPFIX_HEADER:
        cursor[state.MESSAGE_END] = start + IPFIX_HEADER
    if not fits:
        count_drop(drops, _MALFORMED_MESSAGE, cursor[state.POSITION], state.ONE)
        cursor[state.UNCOUNTABLE] = 1


@step
def message_version(buffer: Octets, start: int, end: int) -> int:
    """Say which protocol a datagram speaks (5, 9, 10 or ``SFLOW``), or give minus a drop reason's number - 1."""
    length = end - start
    version = network_16(buffer, start) if length >= 4 else 0
    following = network_16(buffer, start + 2) if length >= 4 else 0
    shortest = 0
    if version == V5:
        shortest = V5_HEADER
    elif version == V9:
        shortest = V9_HEADER
    elif version == IPFIX:
        shortest = IPFIX_HEADER
    elif length >= AGENT_ADDRESS and network_32(buffer, start) == SFLOW_VERSION:
        shortest = header_length(network_32(buffer, start + AGENT_TYPE))
        version = state.SFLOW
    if shortest:
        return version if length >= shortest else -_MALFORMED_MESSAGE - 1
    return -(_REVISED_EXPORT if is_revised(version, following, length) else _NOT_EXPORT) - 1


@step
def is_revised(version: int, following: int, length: int) -> bool:
    """Tell whether a datagram looks like flow export of a version that is not decoded: NetFlow v1, v7, v8, sFlow v2, v4."""
    if version == 1:
        return following > 0 and length == 16 + 52 * following
    if version == 7:
        return following > 0 and length == 24 + 52 * following
    if version == 8:
        return following > 0 and length > 28 and (length - 28) % following == 0
    return version == 0 and following in (2, 4) and length >= 28


@step
def find_domain(buffer: Octets, datagram: Words, tables: Tables, cursor: Words) -> int:
    """Give the number of a datagram's observation domain, negative if it has none yet; its key is left in the cursor.

    The domain is a source id (v9), an observation domain id (IPFIX) or an engine (v5) within its transport session.
    """
    version = cursor[state.VERSION]
    start = datagram[state.DATAGRAM_OFFSET]
    key = cursor[state.KEY : state.KEY + state.KEY_WORDS]
    for word in range(5):
        key[word] = datagram[state.DATAGRAM_FAMILY + word]
    key[0] += version << 8
    key[5] = datagram[state.DATAGRAM_FAMILY + 5] << 16 | datagram[state.DATAGRAM_FAMILY + 6]
    if version == V5:
        key[6] = network_16(buffer, start + 20)
    elif version == V9:
        key[6] = network_32(buffer, start + 16)
    else:
        key[6] = network_32(buffer, start + 12)
    return find(tables.domain_index, cursor)


@step
def close_message(tables: Tables, cursor: Words) -> None:
    """Account for the message's sequence number, unless it is one that waited for its template."""
    if not cursor[state.REPLAY]:
        units = 1
        if cursor[state.VERSION] == V5 or cursor[state.VERSION] == IPFIX:
            units = -1 if cursor[state.UNCOUNTABLE] else cursor[state.MESSAGE_RECORDS]
        observe_sequence(tables.domains[cursor[state.DOMAIN]], cursor, units)


@step
def find_v5_records(buffer: Octets, tables: Tables, room: int, cursor: Words, drops: Words) -> int:
    """Describe the flows of a NetFlow v5 message as a block; ``BLOCK``, ``CONTINUE`` behind it, or an event.

    A message may hold fewer flows than it states, and octets behind them.
    """
    start = cursor[state.OFFSET]
    if start == cursor[state.MESSAGE_END]:
        return state.CONTINUE
    stated = network_16(buffer, start + 2)
    count = min(stated, (cursor[state.MESSAGE_END] - start - V5_HEADER) // V5_RECORD)
    if cursor[state.ROW] + count > room:
        cursor[state.NEEDED] = count
        return _NEED_ROOM
    cursor[state.RATE] = rate_number(network_16(buffer, start + 22) & _V5_INTERVAL, state.ONE, cursor, tables)
    if cursor[state.RATE] == WITHOUT_NUMBER:
        return _NEW_RATE
    if count < stated:
        count_drop(drops, _MALFORMED_MESSAGE, cursor[state.POSITION], state.ONE)
    if cursor[state.RATE] == RATE_REFUSED:
        count_drop(drops, _TEMPLATE_LIMIT, cursor[state.POSITION], count)
        count = 0
    cursor[state.MESSAGE_RECORDS] = stated - count
    return describe_v5_block(start, count, cursor)


@step
def describe_v5_block(start: int, count: int, cursor: Words) -> int:
    """Make the records behind a NetFlow v5 header the cursor's block."""
    cursor[state.BLOCK_TEMPLATE] = state.V5_TEMPLATE
    cursor[state.BLOCK_LAYOUT] = state.V5_TEMPLATE
    cursor[state.BLOCK_FIRST] = start + V5_HEADER
    cursor[state.BLOCK_STRIDE] = V5_RECORD
    cursor[state.BLOCK_COUNT] = count
    cursor[state.SET_END] = cursor[state.MESSAGE_END]
    return state.BLOCK
