"""Blocks of flow records of a known layout written to columns, field by field.

Owns what a record's fields mean for a flow, and who has the say on its sampling rate (what options tell is kept by ``domains``).
Where records begin and end is settled before (``sets``).
"""

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.headers import LONGEST_STATED
from venturi.core.decode.capture.words import Octets
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.bookkeeping import count_drop, move_row
from venturi.core.decode.export.kernels.lookup import find_number
from venturi.core.decode.export.kernels.octets import fill_alike, fill_unsigned, read_unsigned
from venturi.core.decode.export.kernels.state import Columns, Event, Tables, Words
from venturi.core.decode.export.kernels.times import Moments, TimeFields, fill_milliseconds, fill_uptimes, settle_times
from venturi.core.domain.drops import MAXIMUM_COUNT, DropReason
from venturi.core.domain.flow_batch import NO_FLOW_DIRECTION, NO_INTERFACE
from venturi.core.kernel import constant, step

_NEW_RATE = int(Event.NEW_RATE)
_TEMPLATE_LIMIT = constant(DropReason.TEMPLATE_LIMIT)
_COUNTER_OUT_OF_RANGE = constant(DropReason.COUNTER_OUT_OF_RANGE)
_ZERO = constant(0)
_HALF = 8
_WHOLE_V4 = 4
_COUNT_BITS = 55
"""A count without any bit from here on is in range for sure."""

RoleTable = tuple[tuple[int, int, int], ...]
"""Roles, each with the column that its field is written to, and what is written where it is absent."""

_TIMES: RoleTable = (
    (state.START, state.START_COLUMN, 0),
    (state.END, state.END_COLUMN, 0),
    (state.INITIAL, state.INPUT_COLUMN, 0),
    (state.DURATION, state.OUTPUT_COLUMN, 0),
)
_COUNTS: RoleTable = (
    (state.PACKETS, state.PACKETS_COLUMN, 0),
    (state.OCTETS, state.OCTETS_COLUMN, 0),
)
_INTERFACES: RoleTable = (
    (state.INPUT, state.INPUT_COLUMN, NO_INTERFACE),
    (state.OUTPUT, state.OUTPUT_COLUMN, NO_INTERFACE),
)

WITHOUT_NUMBER = -3
"""Instead of a rate's number: the rate has none yet, and may get one."""

RATE_REFUSED = -4
"""Instead of a rate's number: the rate has none, and no more are kept."""


@step
def rate_number(first: int, second: int, cursor: Words, tables: Tables) -> int:
    """Give the number of the sampling rate ``first / second``, ``WITHOUT_NUMBER`` or ``RATE_REFUSED``; -1 for one that says nothing."""
    if second <= 0 or first < second:
        return -1
    number = find_number(tables.numbers, state.RATE_KEY, first, second, cursor)
    if number >= 0:
        return number
    return RATE_REFUSED if cursor[state.RATES_FULL] else WITHOUT_NUMBER


@step
def read_role(buffer: Octets, place: int, layout: Words, role: int) -> int:
    """Read the field of a role in the record at ``place``; 0 if it has none."""
    return read_unsigned(buffer, place + layout[role, 0], layout[role, 1])


@step
def record_rate(buffer: Octets, place: int, layout: Words, kind: int, cursor: Words, tables: Tables) -> int:
    """Give the number of a record's sampling rate, or as ``rate_number``.

    What the record states comes before what was told for its sampler, for its input interface, and for its domain.
    """
    domain = cursor[state.DOMAIN]
    rate = -1
    if kind != state.NO_SAMPLING:
        first = read_role(buffer, place, layout, state.SAMPLING_FIRST)
        second = read_role(buffer, place, layout, state.SAMPLING_SECOND)
        if kind == state.SAMPLING_INTERVAL:
            second = 1
        elif kind == state.SAMPLING_SPACE:
            first, second = first + second, first
        else:
            first, second = second, first
        rate = rate_number(first, second, cursor, tables)
    if rate == -1 and tables.domains[domain, state.HAS_SAMPLERS]:
        for role, key in ((state.SAMPLER, state.SAMPLER_KEY), (state.INPUT, state.INTERFACE_KEY)):
            if rate == -1 and layout[role, 1]:
                rate = max(-1, find_number(tables.numbers, key, domain, read_role(buffer, place, layout, role), cursor))
    return rate if rate != -1 else tables.domains[domain, state.DEFAULT_RATE]


@step
def fixed_rate(kind: int, cursor: Words, tables: Tables) -> int:
    """Give the number of the rate that all records of a template have in common, or -1."""
    domain = cursor[state.DOMAIN]
    rate: int = tables.domains[domain, state.OVERRIDE_RATE]
    if rate < 0:
        rate = cursor[state.RATE]
    if rate < 0 and kind == state.NO_SAMPLING and not tables.domains[domain, state.HAS_SAMPLERS]:
        rate = tables.domains[domain, state.DEFAULT_RATE]
    return rate


@step
def fill_rates(buffer: Octets, layout: Words, kind: int, cursor: Words, tables: Tables, target: NDArray[np.int32]) -> bool:
    """Write the sampling rates of the block's records; false at the first that has no number yet, its key left in the cursor."""
    fixed = fixed_rate(kind, cursor, tables)
    if fixed >= 0:
        fill_alike(target, fixed)
        return True
    place = cursor[state.BLOCK_FIRST]
    for record in range(len(target)):
        rate = record_rate(buffer, place, layout, kind, cursor, tables)
        if rate == WITHOUT_NUMBER:
            return False
        target[record] = rate
        place += cursor[state.BLOCK_STRIDE]
    return True


@step
def block_rows(cursor: Words) -> slice:
    """Give the rows that the block's records are written to."""
    return slice(cursor[state.ROW], cursor[state.ROW] + cursor[state.BLOCK_COUNT])


@step
def fill_addresses(buffer: Octets, layout: Words, cursor: Words, columns: Columns) -> int:
    """Write the addresses of the block's records, zero where absent; give their family, 0 if they tell no address at all."""
    words = columns.words
    first = cursor[state.BLOCK_FIRST]
    stride = cursor[state.BLOCK_STRIDE]
    wide = layout[state.SOURCE_6, 1] + layout[state.DESTINATION_6, 1] > 0
    columns.wide[0] |= wide
    for end in range(2):
        high = words[state.SOURCE_HIGH_COLUMN + 2 * end, block_rows(cursor)]
        low = words[state.SOURCE_LOW_COLUMN + 2 * end, block_rows(cursor)]
        role = end + (state.SOURCE_6 if wide else state.SOURCE_4)
        place = first + layout[role, 0]
        if wide and layout[role, 1]:
            fill_unsigned(buffer, place, stride, _HALF, high)
            fill_unsigned(buffer, place + _HALF, stride, _HALF, low)
            continue
        if columns.wide[0]:
            fill_alike(high, _ZERO)
        if layout[role, 1]:
            fill_unsigned(buffer, place, stride, _WHOLE_V4, low)
        else:
            fill_alike(low, _ZERO)
    narrow = layout[state.SOURCE_4, 1] + layout[state.DESTINATION_4, 1] > 0
    return 6 if wide else 4 if narrow else 0


@step
def choose_families(buffer: Octets, layout: Words, cursor: Words, columns: Columns) -> None:
    """Make those records IPv4 whose IPv6 addresses, just written, are zero."""
    row = cursor[state.ROW]
    for record in range(cursor[state.BLOCK_COUNT]):
        written = 0
        for column in range(state.SOURCE_HIGH_COLUMN, state.DESTINATION_LOW_COLUMN + 1):
            written |= columns.words[column, row + record]
        if written == 0:
            place = cursor[state.BLOCK_FIRST] + record * cursor[state.BLOCK_STRIDE]
            columns.marks[state.FAMILY_COLUMN, row + record] = 4
            columns.words[state.SOURCE_LOW_COLUMN, row + record] = read_role(buffer, place, layout, state.SOURCE_4)
            columns.words[state.DESTINATION_LOW_COLUMN, row + record] = read_role(buffer, place, layout, state.DESTINATION_4)


@step
def fill_roles(buffer: Octets, layout: Words, roles: RoleTable, cursor: Words, words: Words) -> int:
    """Write the fields of roles of the block's records to columns; give the bits that occur in them.

    An absent field is the last number of its role.
    """
    first = cursor[state.BLOCK_FIRST]
    bits = 0
    for role, column, absent in roles:
        target = words[column, block_rows(cursor)]
        if layout[role, 1]:
            bits |= fill_unsigned(buffer, first + layout[role, 0], cursor[state.BLOCK_STRIDE], layout[role, 1], target)
        else:
            fill_alike(target, absent)
    return bits


@step
def fill_times(buffer: Octets, template: Words, layout: Words, reverse: int, cursor: Words, words: Words) -> None:
    """Write the times of the block's records, if needed; the columns of the interfaces, not written yet, serve as working space."""
    if cursor[state.NEEDS_TIMES] and not fill_usual_times(buffer, template, layout, reverse, cursor, words):
        fill_roles(buffer, layout, _TIMES, cursor, words)
        moments = Moments(
            words[state.START_COLUMN, block_rows(cursor)],
            words[state.END_COLUMN, block_rows(cursor)],
            words[state.INPUT_COLUMN, block_rows(cursor)],
            words[state.OUTPUT_COLUMN, block_rows(cursor)],
            template[state.START_KIND + reverse],
            template[state.END_KIND + reverse],
            layout[state.INITIAL, 1] > 0,
            template[state.DURATION_UNIT],
        )
        settle_times(moments, cursor)


@step
def fill_usual_times(buffer: Octets, template: Words, layout: Words, reverse: int, cursor: Words, words: Words) -> bool:
    """Write the times of the block's records by a short way, if there is one for them and none needs correction; tell whether it was."""
    kind = template[state.START_KIND + reverse]
    if kind != template[state.END_KIND + reverse] or layout[state.START, 1] != layout[state.END, 1]:
        return False
    if layout[state.INITIAL, 1] or template[state.DURATION_UNIT]:
        return False
    first = cursor[state.BLOCK_FIRST]
    fields = TimeFields(
        first + layout[state.START, 0],
        first + layout[state.END, 0],
        cursor[state.BLOCK_STRIDE],
        words[state.START_COLUMN, block_rows(cursor)],
        words[state.END_COLUMN, block_rows(cursor)],
    )
    if kind == state.UPTIME_MILLISECONDS and layout[state.START, 1] == 4 and cursor[state.UPTIME] >= 0:
        return fill_uptimes(buffer, fields, cursor)
    return kind == state.MILLISECONDS and layout[state.START, 1] == 8 and fill_milliseconds(buffer, fields, cursor)


@step
def fill_marks(buffer: Octets, layout: Words, reverse: int, family: int, cursor: Words, marks: NDArray[np.uint8]) -> None:
    """Write family and information element 61; the reverse flow of a biflow is metered in the other direction (RFC 5103 §2)."""
    fill_alike(marks[state.FAMILY_COLUMN, block_rows(cursor)], family)
    directions = marks[state.DIRECTION_COLUMN, block_rows(cursor)]
    if layout[state.DIRECTION, 1]:
        place = cursor[state.BLOCK_FIRST] + layout[state.DIRECTION, 0]
        stride = cursor[state.BLOCK_STRIDE]
        for record in range(len(directions)):
            told = buffer[place + record * stride]
            directions[record] = told ^ reverse if told <= 1 else NO_FLOW_DIRECTION
    else:
        fill_alike(directions, NO_FLOW_DIRECTION)


@step
def fill_flows(buffer: Octets, layout: Words, reverse: int, cursor: Words, tables: Tables, columns: Columns) -> int:
    """Write all columns of the block's records, but the sampling rates, from the cursor's row on; give the bits that occur in counts."""
    template = tables.templates[cursor[state.BLOCK_TEMPLATE]]
    family = fill_addresses(buffer, layout, cursor, columns)
    fill_marks(buffer, layout, reverse, family, cursor, columns.marks)
    if template[state.HAS_BOTH_FAMILIES]:
        choose_families(buffer, layout, cursor, columns)
    fill_times(buffer, template, layout, reverse, cursor, columns.words)
    if cursor[state.NEEDS_INTERFACES]:
        fill_roles(buffer, layout, _INTERFACES, cursor, columns.words)
    fill_alike(columns.numbers[state.EXPORTER_COLUMN, block_rows(cursor)], tables.domains[cursor[state.DOMAIN], state.EXPORTER])
    return fill_roles(buffer, layout, _COUNTS, cursor, columns.words)


@step
def keep_countable(reverse: int, counts: int, cursor: Words, columns: Columns, drops: Words) -> int:
    """Close the gaps of rows that cannot be counted, and of reverse flows without packets; give the number of rows kept.

    ``counts`` are the bits that occur in the counts of the rows.
    """
    packets = columns.words[state.PACKETS_COLUMN, block_rows(cursor)]
    octets = columns.words[state.OCTETS_COLUMN, block_rows(cursor)]
    rates = columns.numbers[state.SAMPLING_COLUMN, block_rows(cursor)]
    any_rate = 0
    for record in range(len(rates)):
        any_rate |= rates[record]
    if counts >> _COUNT_BITS == 0 and any_rate >= 0 and not reverse:
        return len(packets)
    first = cursor[state.ROW]
    kept = 0
    for record in range(len(packets)):
        if packets[record] < 0 or octets[record] < 0 or packets[record] > MAXIMUM_COUNT or octets[record] > MAXIMUM_COUNT:
            count_drop(drops, _COUNTER_OUT_OF_RANGE, cursor[state.POSITION], state.ONE)
        elif rates[record] < 0:
            count_drop(drops, _TEMPLATE_LIMIT, cursor[state.POSITION], state.ONE)
        elif not reverse or packets[record] > 0 or octets[record] > 0:
            if kept != record:
                move_row(columns, first + record, first + kept)
            kept += 1
    return kept


@step
def describe_section(buffer: Octets, layout: Words, link_type: int, cursor: Words, columns: Columns) -> None:
    """Put where the section of the block's one record lies into its row, to be read when the walk stops (``packets``).

    Where the record does not tell how long the frame was, its packet is as long as its header states, and no jumbogram.
    """
    row = cursor[state.ROW]
    first = cursor[state.BLOCK_FIRST]
    captured = layout[state.SECTION, 1]
    size = read_role(buffer, first, layout, state.FRAME_SIZE)
    columns.wide[0] = 1
    columns.marks[state.FAMILY_COLUMN, row] = state.UNREAD
    columns.words[state.SECTION_PLACE, row] = first + layout[state.SECTION, 0]
    columns.words[state.SECTION_CAPTURED, row] = captured
    columns.words[state.SECTION_ORIGINAL, row] = size if size > 0 else captured
    columns.words[state.SECTION_LONGEST, row] = size if size > 0 else captured + LONGEST_STATED
    columns.words[state.SECTION_LINK_TYPE, row] = link_type
    columns.words[state.SECTION_POSITION, row] = cursor[state.POSITION]
    cursor[state.UNREAD_SECTIONS] += 1


@step
def write_block(buffer: Octets, tables: Tables, columns: Columns, cursor: Words, drops: Words) -> int:
    """Write the block's records, and the reverse flows of biflows, from the cursor's row on.

    ``CONTINUE``, or ``NEW_RATE``, without effect, if a sampling rate has no number yet. There is room for two rows a record.
    """
    template = tables.templates[cursor[state.BLOCK_TEMPLATE]]
    is_section = template[state.KIND] == state.PACKET_SECTIONS
    forward = tables.layouts[cursor[state.BLOCK_LAYOUT], 0]
    for reverse in range(1 + template[state.HAS_REVERSE]):
        rates = columns.numbers[state.SAMPLING_COLUMN, block_rows(cursor)]
        if not fill_rates(buffer, forward, template[state.SAMPLING_KIND], cursor, tables, rates):
            return _NEW_RATE
        layout = tables.layouts[cursor[state.BLOCK_LAYOUT], reverse]
        counts = fill_flows(buffer, layout, reverse, cursor, tables, columns)
        kept = keep_countable(reverse, counts, cursor, columns, drops)
        if is_section and kept:
            describe_section(buffer, layout, template[state.SECTION_LINK], cursor, columns)
        cursor[state.ROW] += kept
        if not reverse:
            cursor[state.RECORDS] += kept
    return state.CONTINUE
