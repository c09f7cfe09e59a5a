"""sFlow version 5: flow samples to rows, counter samples counted (sflow.org, sFlow Version 5, July 2004).

Owns the sample and record structures. Sampled headers are read by ``sections``.
"""

from venturi.core.decode.capture.words import Octets, network_32, signed_64
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.bookkeeping import count_drop, observe_sequence
from venturi.core.decode.export.kernels.lookup import find
from venturi.core.decode.export.kernels.packets import Section, write_packet
from venturi.core.decode.export.kernels.records import RATE_REFUSED, WITHOUT_NUMBER, rate_number
from venturi.core.decode.export.kernels.state import Columns, Event, Tables, Words
from venturi.core.domain.drops import DropReason
from venturi.core.domain.flow_batch import NO_FLOW_DIRECTION, NO_INTERFACE, UNTIMED
from venturi.core.kernel import constant, kernel, step

SFLOW_VERSION = 5
AGENT_TYPE = 4
IPV4_AGENT = 1
IPV6_AGENT = 2
AGENT_ADDRESS = 8

_DONE = int(Event.DONE)
_NEW_DOMAIN = int(Event.NEW_DOMAIN)
_NEED_ROOM = int(Event.NEED_ROOM)
_NEW_RATE = int(Event.NEW_RATE)
_MALFORMED_MESSAGE = constant(DropReason.MALFORMED_MESSAGE)
_MALFORMED_SET = constant(DropReason.MALFORMED_SET)
_MALFORMED_RECORD = constant(DropReason.MALFORMED_RECORD)
_REVISED_EXPORT = constant(DropReason.REVISED_EXPORT)
_TEMPLATE_LIMIT = constant(DropReason.TEMPLATE_LIMIT)
_NO_ADDRESSES = constant(DropReason.NO_ADDRESSES)
_BAD_IP_HEADER = constant(DropReason.BAD_IP_HEADER)
_UNSUPPORTED_LINK_TYPE = constant(DropReason.UNSUPPORTED_LINK_TYPE)

_SAMPLE_HEADER = 8
_FLOW_SAMPLE = 1
_COUNTER_SAMPLE = 2
_EXPANDED_FLOW_SAMPLE = 3
_EXPANDED_COUNTER_SAMPLE = 4
_RAW_HEADER = 1
_SAMPLED_IPV4 = 3
_SAMPLED_IPV6 = 4
_RAW_HEADER_FIELDS = 16
_LONGEST_PACKET = 512 << 10
_ETHERNET = 1
_RAW_IPV4 = 11
_RAW_IPV6 = 12
_LINKTYPE_ETHERNET = 1
_LINKTYPE_RAW = 101
_COMPACT_FIELDS = 32  # octets of a flow sample before its records, and of an expanded one
_EXPANDED_FIELDS = 44
_COMPACT_FORMAT_BITS = 30
_COMPACT_VALUE = (1 << 24) - 1
_INTERNAL = 0x3FFFFFFF
_ANY_VALUE = 0xFFFFFFFF


@step
def header_length(agent_type: int) -> int:
    """Give the octets of a datagram's header for the type of its agent's address, 0 for a type that does not exist."""
    if agent_type == IPV4_AGENT:
        return 28
    return 40 if agent_type == IPV6_AGENT else 0


@kernel
def walk_sflow(buffer: Octets, datagrams: Words, tables: Tables, columns: Columns, cursor: Words, drops: Words) -> int:
    """Decode sFlow datagrams (shape (datagrams, DATAGRAM_SLOTS)) from the cursor on; ``DONE`` behind them, or an event."""
    while cursor[state.DATAGRAM] < datagrams.shape[0]:
        event = state.CONTINUE
        if not cursor[state.IN_MESSAGE]:
            event = open_datagram(buffer, datagrams[cursor[state.DATAGRAM]], tables, cursor, drops)
        if event == state.CONTINUE:
            event = walk_samples(buffer, tables, columns, cursor, drops)
        if event >= 0:
            return event
        if event == state.CONTINUE:
            observe_sequence(tables.domains[cursor[state.DOMAIN]], cursor, state.ONE)
        cursor[state.IN_MESSAGE] = 0
        cursor[state.DATAGRAM] += 1
    return _DONE


@step
def open_datagram(buffer: Octets, datagram: Words, tables: Tables, cursor: Words, drops: Words) -> int:
    """Read the header of a datagram; ``CONTINUE``, ``DONE`` if it is no whole one of sFlow, another event, or ``SKIPPED``."""
    start = datagram[state.DATAGRAM_OFFSET]
    end = start + datagram[state.DATAGRAM_LENGTH]
    if start < 0 or end > len(buffer) or end - start < AGENT_ADDRESS or network_32(buffer, start) != SFLOW_VERSION:
        return _DONE
    length = header_length(network_32(buffer, start + AGENT_TYPE))
    if length == 0 or start + length > end:
        return _DONE
    cursor[state.POSITION] = datagram[state.DATAGRAM_POSITION]
    name_agent(buffer, datagram, cursor[state.KEY : state.KEY + state.KEY_WORDS])
    domain = find(tables.domain_index, cursor)
    if domain < 0:
        if not cursor[state.DOMAINS_FULL]:
            return _NEW_DOMAIN
        count_drop(drops, _TEMPLATE_LIMIT, cursor[state.POSITION], state.ONE)
        return state.SKIPPED
    cursor[state.IN_MESSAGE] = 1
    cursor[state.VERSION] = state.SFLOW
    cursor[state.DOMAIN] = domain
    cursor[state.SEQUENCE] = network_32(buffer, start + length - 12)
    cursor[state.SAMPLES_LEFT] = network_32(buffer, start + length - 4)
    cursor[state.OFFSET] = start + length
    cursor[state.MESSAGE_END] = end
    cursor[state.REFERENCE_TIME] = datagram[state.DATAGRAM_TIME] if datagram[state.DATAGRAM_TIME] >= 0 else UNTIMED
    return state.CONTINUE


@step
def name_agent(buffer: Octets, datagram: Words, key: Words) -> None:
    """Write the key of a datagram's domain: the sub-agent of an agent, which is known by the address that it names itself.

    An agent that names no address is known by that of its datagrams.
    """
    start = datagram[state.DATAGRAM_OFFSET]
    agent_type = network_32(buffer, start + AGENT_TYPE)
    first = start + AGENT_ADDRESS
    wide = agent_type == IPV6_AGENT
    high = signed_64(buffer, first) if wide else 0
    low = signed_64(buffer, first + 8) if wide else network_32(buffer, first)
    family = 6 if wide else 4
    if high == 0 and low == 0:
        family = datagram[state.DATAGRAM_FAMILY]
        high = datagram[state.DATAGRAM_FAMILY + 1]
        low = datagram[state.DATAGRAM_FAMILY + 2]
    key[0] = family + (state.SFLOW << 8)
    key[1] = high
    key[2] = low
    key[3:6] = 0
    key[6] = network_32(buffer, start + header_length(agent_type) - 16)


@step
def walk_samples(buffer: Octets, tables: Tables, columns: Columns, cursor: Words, drops: Words) -> int:
    """Walk the samples of the datagram at the cursor; ``CONTINUE`` at its end, else an event."""
    position = cursor[state.POSITION]
    while cursor[state.SAMPLES_LEFT] > 0:
        start = cursor[state.OFFSET]
        if start + _SAMPLE_HEADER > cursor[state.MESSAGE_END]:
            count_drop(drops, _MALFORMED_MESSAGE, position, state.ONE)
            break
        end = start + _SAMPLE_HEADER + network_32(buffer, start + 4)
        if end > cursor[state.MESSAGE_END]:
            count_drop(drops, _MALFORMED_SET, position, state.ONE)
            break
        sample = network_32(buffer, start)
        if sample in (_FLOW_SAMPLE, _EXPANDED_FLOW_SAMPLE):
            event = write_sample(buffer, end, tables, columns, cursor, drops)
            if event != state.CONTINUE:
                return event
        elif sample in (_COUNTER_SAMPLE, _EXPANDED_COUNTER_SAMPLE):
            cursor[state.COUNTER_SAMPLES] += 1
        else:
            count_drop(drops, _REVISED_EXPORT, position, state.ONE)
        cursor[state.OFFSET] = end
        cursor[state.SAMPLES_LEFT] -= 1
    return state.CONTINUE


@step
def interface_index(form: int, value: int) -> int:
    """Give the ifIndex of an sFlow interface, ``NO_INTERFACE`` for several, none, the device itself or an unknown one."""
    known = form == 0 and value not in (0, _INTERNAL, _ANY_VALUE)
    return value if known else NO_INTERFACE


@step
def write_sample(buffer: Octets, end: int, tables: Tables, columns: Columns, cursor: Words, drops: Words) -> int:
    """Write the flow sample at the cursor; an event, without effect, if there is no room or its rate has no number yet."""
    fields = cursor[state.OFFSET] + _SAMPLE_HEADER
    expanded = network_32(buffer, cursor[state.OFFSET]) == _EXPANDED_FLOW_SAMPLE
    records = fields + (_EXPANDED_FIELDS if expanded else _COMPACT_FIELDS)
    if records > end:
        count_drop(drops, _MALFORMED_SET, cursor[state.POSITION], state.ONE)
        return state.CONTINUE
    if cursor[state.ROW] >= columns.words.shape[1]:
        cursor[state.NEEDED] = 1
        return _NEED_ROOM
    rate = sample_rate(network_32(buffer, fields + (12 if expanded else 8)), cursor, tables)
    if rate == WITHOUT_NUMBER:
        return _NEW_RATE
    reason = _TEMPLATE_LIMIT
    if rate != RATE_REFUSED:
        columns.numbers[state.SAMPLING_COLUMN, cursor[state.ROW]] = rate
        reason = write_records(buffer, records, end, columns, cursor)
    if reason >= 0:
        count_drop(drops, reason, cursor[state.POSITION], state.ONE)
        return state.CONTINUE
    write_circumstances(buffer, fields, expanded, tables, columns, cursor)
    cursor[state.ROW] += 1
    cursor[state.RECORDS] += 1
    cursor[state.UNTIMED_SAMPLES] += cursor[state.REFERENCE_TIME] == UNTIMED
    return state.CONTINUE


@step
def sample_rate(stated: int, cursor: Words, tables: Tables) -> int:
    """Give the number of a sample's rate: the configured one, else the stated one, else the domain's; or as ``rate_number``."""
    domain = cursor[state.DOMAIN]
    rate: int = tables.domains[domain, state.OVERRIDE_RATE]
    if rate < 0:
        rate = rate_number(stated, state.ONE, cursor, tables)
    if rate == -1:
        rate = tables.domains[domain, state.DEFAULT_RATE]
    return rate


@step
def write_records(buffer: Octets, place: int, end: int, columns: Columns, cursor: Words) -> int:
    """Write addresses and counts of a sample, from its raw header if it has one; -1, or the reason why there are none."""
    row = cursor[state.ROW]
    reason = _NO_ADDRESSES
    left = network_32(buffer, place - 4)
    while left > 0:
        body = place + _SAMPLE_HEADER
        if body > end or body + network_32(buffer, place + 4) > end:
            return reason if reason == -1 else _MALFORMED_RECORD
        form = network_32(buffer, place)
        length = network_32(buffer, place + 4)
        if form == _RAW_HEADER:
            return write_raw_header(buffer, body, length, columns, row)
        if form in (_SAMPLED_IPV4, _SAMPLED_IPV6):
            reason = write_sampled_ip(buffer, body, length, form == _SAMPLED_IPV6, columns, row)
        place = body + length
        left -= 1
    return reason


@step
def write_raw_header(buffer: Octets, body: int, length: int, columns: Columns, row: int) -> int:
    """Write the packet of a raw packet header record; -1, or a drop reason."""
    if length < _RAW_HEADER_FIELDS:
        return _MALFORMED_RECORD
    protocol = network_32(buffer, body)
    captured = network_32(buffer, body + 12)
    if captured > length - _RAW_HEADER_FIELDS:
        return _MALFORMED_RECORD
    if protocol not in (_ETHERNET, _RAW_IPV4, _RAW_IPV6):
        return _UNSUPPORTED_LINK_TYPE
    link_type = _LINKTYPE_ETHERNET if protocol == _ETHERNET else _LINKTYPE_RAW
    frame = max(captured, network_32(buffer, body + 4))
    original = max(captured, frame - network_32(buffer, body + 8))
    return write_packet(buffer, Section(body + _RAW_HEADER_FIELDS, captured, original, frame, link_type), columns, row) - 1


@step
def write_sampled_ip(buffer: Octets, body: int, length: int, wide: bool, columns: Columns, row: int) -> int:
    """Write the packet of a sampled IPv4 or IPv6 record; -1, or a drop reason."""
    if length < (56 if wide else 32):
        return _MALFORMED_RECORD
    if network_32(buffer, body) > _LONGEST_PACKET:
        return _BAD_IP_HEADER
    words = columns.words
    columns.wide[0] = 1
    columns.marks[state.FAMILY_COLUMN, row] = 6 if wide else 4
    words[state.PACKETS_COLUMN, row] = 1
    words[state.OCTETS_COLUMN, row] = network_32(buffer, body)
    if wide:
        for column in range(state.SOURCE_HIGH_COLUMN, state.DESTINATION_LOW_COLUMN + 1):
            words[column, row] = signed_64(buffer, body + 8 + 8 * column)
    else:
        words[state.SOURCE_HIGH_COLUMN, row] = 0
        words[state.SOURCE_LOW_COLUMN, row] = network_32(buffer, body + 8)
        words[state.DESTINATION_HIGH_COLUMN, row] = 0
        words[state.DESTINATION_LOW_COLUMN, row] = network_32(buffer, body + 12)
    return -1


@step
def write_circumstances(buffer: Octets, fields: int, expanded: bool, tables: Tables, columns: Columns, cursor: Words) -> None:
    """Write time, exporter, interfaces and direction of a sample; it was taken at ingress if its source is its input interface."""
    row = cursor[state.ROW]
    source = network_32(buffer, fields + 4)
    place = fields + (28 if expanded else 20)
    if expanded:
        kind = source
        source = network_32(buffer, fields + 8)
        input_interface = interface_index(network_32(buffer, place - 4), network_32(buffer, place))
        output_interface = interface_index(network_32(buffer, place + 4), network_32(buffer, place + 8))
    else:
        kind = source >> 24
        source &= _COMPACT_VALUE
        value = network_32(buffer, place)
        input_interface = interface_index(value >> _COMPACT_FORMAT_BITS, value & _INTERNAL)
        value = network_32(buffer, place + 4)
        output_interface = interface_index(value >> _COMPACT_FORMAT_BITS, value & _INTERNAL)
    direction = NO_FLOW_DIRECTION
    if kind == 0 and input_interface != output_interface and source in (input_interface, output_interface):
        direction = 0 if source == input_interface else 1
    columns.marks[state.DIRECTION_COLUMN, row] = direction
    columns.words[state.INPUT_COLUMN, row] = input_interface
    columns.words[state.OUTPUT_COLUMN, row] = output_interface
    columns.words[state.START_COLUMN, row] = cursor[state.REFERENCE_TIME]
    columns.words[state.END_COLUMN, row] = cursor[state.REFERENCE_TIME]
    columns.numbers[state.EXPORTER_COLUMN, row] = tables.domains[cursor[state.DOMAIN], state.EXPORTER]
