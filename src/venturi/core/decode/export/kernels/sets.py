"""Sets of NetFlow v9 and IPFIX messages, walked against the templates that describe their records (RFC 3954 §5, RFC 7011 §3.3).

Owns where records begin and end. What their fields mean is in ``records``.
"""

from venturi.core.decode.capture.words import Octets, network_16, octet
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.bookkeeping import count_drop
from venturi.core.decode.export.kernels.lookup import find_number
from venturi.core.decode.export.kernels.state import Event, Tables, Words
from venturi.core.domain.drops import DropReason
from venturi.core.kernel import constant, step

SET_HEADER = 4
FIRST_DATA_SET = 256
V9 = 9
VARIABLE_LENGTH = 65535
_LONG_LENGTH = 255
_NEED_ROOM = int(Event.NEED_ROOM)
_TEMPLATE_SET = int(Event.TEMPLATE_SET)
_OPTIONS_SET = int(Event.OPTIONS_SET)
_UNKNOWN_TEMPLATE = int(Event.UNKNOWN_TEMPLATE)
_MALFORMED_SET = constant(DropReason.MALFORMED_SET)
_MALFORMED_RECORD = constant(DropReason.MALFORMED_RECORD)
_REVISED_EXPORT = constant(DropReason.REVISED_EXPORT)
_NO_COUNTS = constant(DropReason.NO_COUNTS)


@step
def find_records(buffer: Octets, tables: Tables, room: int, cursor: Words, drops: Words) -> int:
    """Walk the message's sets from the cursor on, up to records to be written; ``BLOCK``, ``CONTINUE`` at its end, or an event.

    A block is all records of a set, or one where their lengths vary or each holds a section of a packet. ``room`` is the
    number of rows that the columns have; a block leaves room for two rows a record.
    """
    while cursor[state.OFFSET] + SET_HEADER <= cursor[state.MESSAGE_END]:
        start = cursor[state.OFFSET]
        end = start + network_16(buffer, start + 2)
        if end < start + SET_HEADER or end > cursor[state.MESSAGE_END]:
            count_drop(drops, _MALFORMED_SET, cursor[state.POSITION], state.ONE)
            cursor[state.UNCOUNTABLE] = 1
            break
        cursor[state.SET_ID] = network_16(buffer, start)
        cursor[state.SET_START] = start
        cursor[state.SET_END] = end
        if cursor[state.SET_ID] < FIRST_DATA_SET:
            event = look_at_templates(buffer, tables, cursor, drops)
        else:
            event = open_data_set(buffer, tables, room, cursor, drops)
        if event != state.CONTINUE:
            return event
        cursor[state.OFFSET] = end
    return state.CONTINUE


@step
def pass_block(cursor: Words) -> None:
    """Pass over the block just written."""
    cursor[state.MESSAGE_RECORDS] += cursor[state.BLOCK_COUNT]
    if cursor[state.RECORD_PLACE]:
        cursor[state.RECORD_PLACE] += cursor[state.BLOCK_STRIDE]
    else:
        cursor[state.OFFSET] = cursor[state.SET_END]


@step
def look_at_templates(buffer: Octets, tables: Tables, cursor: Words, drops: Words) -> int:
    """Pass over a set of templates that are all known; an event if one is new or changed."""
    first = 0 if cursor[state.VERSION] == V9 else 2
    if cursor[state.SET_ID] != first and cursor[state.SET_ID] != first + 1:
        count_drop(drops, _REVISED_EXPORT, cursor[state.POSITION], state.ONE)
        return state.CONTINUE
    place = cursor[state.SET_START] + SET_HEADER
    while place + SET_HEADER <= cursor[state.SET_END]:
        length = known_length(buffer, place, tables, cursor)
        if length == 0:
            return _TEMPLATE_SET
        place += length
    return state.CONTINUE


@step
def known_length(buffer: Octets, place: int, tables: Tables, cursor: Words) -> int:
    """Give the length of the template record at ``place`` if the very same one is in force, else 0."""
    row = find_number(tables.numbers, state.TEMPLATE_KEY, cursor[state.DOMAIN], network_16(buffer, place), cursor)
    if row < 0 or tables.templates[row, state.DEFINITION_SET] != cursor[state.SET_ID]:
        return 0
    start = tables.templates[row, state.DEFINITION_START]
    length: int = tables.templates[row, state.DEFINITION_LENGTH]
    if place + length > cursor[state.SET_END]:
        return 0
    for number in range(length):
        if buffer[place + number] != tables.definitions[start + number]:
            return 0
    return length


@step
def open_data_set(buffer: Octets, tables: Tables, room: int, cursor: Words, drops: Words) -> int:
    """Describe the records of the data set at the cursor as a block, or count them; as ``find_records``."""
    row = find_number(tables.numbers, state.TEMPLATE_KEY, cursor[state.DOMAIN], cursor[state.SET_ID], cursor)
    if row < 0:
        return _UNKNOWN_TEMPLATE
    template = tables.templates[row]
    kind = template[state.KIND]
    if kind == state.OPTIONS:
        return _OPTIONS_SET
    size = cursor[state.SET_END] - cursor[state.SET_START] - SET_HEADER
    most = size // template[state.RECORD_LENGTH]
    cursor[state.BLOCK_TEMPLATE] = row
    cursor[state.BLOCK_FIRST] = cursor[state.SET_START] + SET_HEADER
    cursor[state.BLOCK_STRIDE] = template[state.RECORD_LENGTH]
    cursor[state.BLOCK_COUNT] = most
    cursor[state.BLOCK_LAYOUT] = row
    if most == 0 and size > 0:
        count_drop(drops, _MALFORMED_RECORD, cursor[state.POSITION], state.ONE)
    elif cursor[state.ROW] + 2 * most > room:
        cursor[state.NEEDED] = 2 * most
        return _NEED_ROOM
    elif template[state.FIELD_COUNT]:
        return next_record(buffer, tables, cursor, drops)
    elif kind == state.FLOWS and most > 0:
        return state.BLOCK
    count_records(kind, most, cursor, drops)
    return state.CONTINUE


@step
def count_records(kind: int, count: int, cursor: Words, drops: Words) -> None:
    """Count records that no flow can be made of, for the sequence number and under their reason."""
    cursor[state.MESSAGE_RECORDS] += count
    if kind == state.OTHER_OPTIONS:
        cursor[state.OPTIONS_RECORDS] += count
    elif kind == state.WITHOUT_COUNTS:
        count_drop(drops, _NO_COUNTS, cursor[state.POSITION], count)


@step
def next_record(buffer: Octets, tables: Tables, cursor: Words, drops: Words) -> int:
    """Describe the record at ``RECORD_PLACE``, or the first of the set, as a block; count those that no flow can be made of."""
    template = tables.templates[cursor[state.BLOCK_TEMPLATE]]
    if cursor[state.RECORD_PLACE] == 0:
        cursor[state.RECORD_PLACE] = cursor[state.BLOCK_FIRST]
    cursor[state.BLOCK_COUNT] = 1
    cursor[state.BLOCK_LAYOUT] = state.RESOLVED_LAYOUT
    while cursor[state.RECORD_PLACE] + template[state.RECORD_LENGTH] <= cursor[state.SET_END]:
        place = cursor[state.RECORD_PLACE]
        following = locate_fields(buffer, template, tables.fields, cursor)
        if following < 0:
            count_drop(drops, _MALFORMED_RECORD, cursor[state.POSITION], state.ONE)
            cursor[state.UNCOUNTABLE] = 1
            break
        cursor[state.BLOCK_FIRST] = place
        cursor[state.BLOCK_STRIDE] = following - place
        if template[state.KIND] <= state.PACKET_SECTIONS:
            resolve_layout(tables, cursor)
            return state.BLOCK
        cursor[state.RECORD_PLACE] = following
        count_records(template[state.KIND], state.ONE, cursor, drops)
    cursor[state.RECORD_PLACE] = 0
    return state.CONTINUE


@step
def locate_fields(buffer: Octets, template: Words, fields: Words, cursor: Words) -> int:
    """Find place and length of every field of the record at ``RECORD_PLACE``; give where the next record begins, or -1 (RFC 7011 §7)."""
    place = cursor[state.RECORD_PLACE]
    end = cursor[state.SET_END]
    for field in range(template[state.FIELD_COUNT]):
        length = fields[0, template[state.FIRST_FIELD] + field]
        if length == VARIABLE_LENGTH and place < end:
            length = octet(buffer, place)
            place += 1
            if length == _LONG_LENGTH and place + 2 <= end:
                length = network_16(buffer, place)
                place += 2
        fields[1, field] = place
        fields[2, field] = length
        place += length
        if place > end:
            return -1
    following: int = place
    return following


@step
def resolve_layout(tables: Tables, cursor: Words) -> None:
    """Turn the layout of the template, which is in field numbers, into one in offsets for the record just located."""
    numbered = tables.layouts[cursor[state.BLOCK_TEMPLATE]]
    resolved = tables.layouts[state.RESOLVED_LAYOUT]
    for reverse in range(2):
        for role in range(state.ROLES):
            field = numbered[reverse, role, 0]
            present = numbered[reverse, role, 1] > 0
            resolved[reverse, role, 0] = tables.fields[1, field] - cursor[state.BLOCK_FIRST] if present else 0
            resolved[reverse, role, 1] = tables.fields[2, field] if present else 0
