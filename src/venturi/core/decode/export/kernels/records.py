"""Blocks of flow records of a known layout written to columns, field by field.

Owns what a record's fields mean for a flow, and who has the say on its sampling rate (what options tell is kept by ``domains``).
Where records begin and end is settled before (``sets``).
"""

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.words import Octets
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.bookkeeping import count_drop, move_row
from venturi.core.decode.export.kernels.lookup import find_number
from venturi.core.decode.export.kernels.octets import fill_unsigned, network_32, read_unsigned, signed_64
from venturi.core.decode.export.kernels.state import Columns, Event, Tables, Words
from venturi.core.decode.export.kernels.times import Moments, settle_times
from venturi.core.domain.drops import MAXIMUM_COUNT, DropReason
from venturi.core.domain.flow_batch import NO_FLOW_DIRECTION, NO_INTERFACE
from venturi.core.kernel import constant, step

_NEW_RATE = int(Event.NEW_RATE)
_TEMPLATE_LIMIT = constant(DropReason.TEMPLATE_LIMIT)
_COUNTER_OUT_OF_RANGE = constant(DropReason.COUNTER_OUT_OF_RANGE)
_LOW_HALF = 8
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
_COUNTS_AND_INTERFACES: RoleTable = (
    (state.PACKETS, state.PACKETS_COLUMN, 0),
    (state.OCTETS, state.OCTETS_COLUMN, 0),
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
        target[:] = fixed
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
def fill_addresses(buffer: Octets, layout: Words, cursor: Words, words: Words) -> int:
    """Write the addresses of the block's records, zero where absent; give their family. ``words`` holds the block's rows only."""
    first = cursor[state.BLOCK_FIRST]
    stride = cursor[state.BLOCK_STRIDE]
    wide = layout[state.SOURCE_6, 1] + layout[state.DESTINATION_6, 1] > 0
    for end in range(2):
        high = words[state.SOURCE_HIGH_COLUMN + 2 * end]
        low = words[state.SOURCE_LOW_COLUMN + 2 * end]
        role = end + (state.SOURCE_6 if wide else state.SOURCE_4)
        place = first + layout[role, 0]
        if layout[role, 1] == 0:
            high[:] = 0
            low[:] = 0
        elif wide:
            for record in range(len(high)):
                high[record] = signed_64(buffer, place + record * stride)
                low[record] = signed_64(buffer, place + record * stride + _LOW_HALF)
        else:
            high[:] = 0
            for record in range(len(low)):
                low[record] = network_32(buffer, place + record * stride)
    return 6 if wide else 4


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
def fill_roles(buffer: Octets, layout: Words, roles: RoleTable, cursor: Words, words: Words) -> None:
    """Write the fields of roles of the block's records to columns of its rows; an absent field is the last number of its role."""
    first = cursor[state.BLOCK_FIRST]
    for role, column, absent in roles:
        if layout[role, 1]:
            fill_unsigned(buffer, first + layout[role, 0], cursor[state.BLOCK_STRIDE], layout[role, 1], words[column])
        else:
            words[column][:] = absent


@step
def fill_times(buffer: Octets, template: Words, layout: Words, reverse: int, cursor: Words, words: Words) -> None:
    """Write the times of the block's records; the columns of the interfaces, not written yet, serve as working space."""
    fill_roles(buffer, layout, _TIMES, cursor, words)
    moments = Moments(
        words[state.START_COLUMN],
        words[state.END_COLUMN],
        words[state.INPUT_COLUMN],
        words[state.OUTPUT_COLUMN],
        template[state.START_KIND + reverse],
        template[state.END_KIND + reverse],
        layout[state.INITIAL, 1] > 0,
        template[state.DURATION_UNIT],
    )
    settle_times(moments, cursor)


@step
def fill_marks(buffer: Octets, layout: Words, reverse: int, family: int, cursor: Words, columns: Columns) -> None:
    """Write family and information element 61; the reverse flow of a biflow is metered in the other direction (RFC 5103 §2)."""
    rows = slice(cursor[state.ROW], cursor[state.ROW] + cursor[state.BLOCK_COUNT])
    columns.marks[state.FAMILY_COLUMN, rows] = family
    columns.marks[state.DIRECTION_COLUMN, rows] = NO_FLOW_DIRECTION
    if layout[state.DIRECTION, 1]:
        place = cursor[state.BLOCK_FIRST] + layout[state.DIRECTION, 0]
        for row in range(rows.start, rows.stop):
            if buffer[place] <= 1:
                columns.marks[state.DIRECTION_COLUMN, row] = buffer[place] ^ reverse
            place += cursor[state.BLOCK_STRIDE]


@step
def fill_flows(buffer: Octets, layout: Words, reverse: int, cursor: Words, tables: Tables, columns: Columns) -> None:
    """Write all columns of the block's records, but the sampling rates, from the cursor's row on."""
    template = tables.templates[cursor[state.BLOCK_TEMPLATE]]
    last = cursor[state.ROW] + cursor[state.BLOCK_COUNT]
    words = columns.words[:, cursor[state.ROW] : last]
    family = fill_addresses(buffer, layout, cursor, words)
    fill_marks(buffer, layout, reverse, family, cursor, columns)
    if template[state.HAS_BOTH_FAMILIES]:
        choose_families(buffer, layout, cursor, columns)
    fill_times(buffer, template, layout, reverse, cursor, words)
    fill_roles(buffer, layout, _COUNTS_AND_INTERFACES, cursor, words)
    columns.numbers[state.EXPORTER_COLUMN, cursor[state.ROW] : last] = tables.domains[cursor[state.DOMAIN], state.EXPORTER]


@step
def keep_countable(reverse: int, cursor: Words, columns: Columns, drops: Words) -> int:
    """Close the gaps of rows that cannot be counted, and of reverse flows without packets; give the number of rows kept."""
    first = cursor[state.ROW]
    last = first + cursor[state.BLOCK_COUNT]
    packets = columns.words[state.PACKETS_COLUMN]
    octets = columns.words[state.OCTETS_COLUMN]
    rates = columns.numbers[state.SAMPLING_COLUMN]
    suspicious = 0
    for row in range(first, last):
        suspicious |= (packets[row] | octets[row]) >> _COUNT_BITS
        suspicious |= rates[row] < 0
    if not suspicious and not reverse:
        return int(last - first)
    kept = first
    for row in range(first, last):
        if packets[row] < 0 or octets[row] < 0 or packets[row] > MAXIMUM_COUNT or octets[row] > MAXIMUM_COUNT:
            count_drop(drops, _COUNTER_OUT_OF_RANGE, cursor[state.POSITION], state.ONE)
        elif rates[row] < 0:
            count_drop(drops, _TEMPLATE_LIMIT, cursor[state.POSITION], state.ONE)
        elif not reverse or packets[row] > 0 or octets[row] > 0:
            if kept != row:
                move_row(columns, row, kept)
            kept += 1
    rows: int = kept - first
    return rows


@step
def describe_section(buffer: Octets, layout: Words, link_type: int, cursor: Words, columns: Columns) -> None:
    """Put where the section of the block's one record lies into its row, to be read when the walk stops (``packets``)."""
    row = cursor[state.ROW]
    first = cursor[state.BLOCK_FIRST]
    captured = layout[state.SECTION, 1]
    columns.marks[state.FAMILY_COLUMN, row] = state.UNREAD
    columns.words[state.SECTION_PLACE, row] = first + layout[state.SECTION, 0]
    columns.words[state.SECTION_CAPTURED, row] = captured
    columns.words[state.SECTION_ORIGINAL, row] = max(captured, read_role(buffer, first, layout, state.FRAME_SIZE))
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
        row = cursor[state.ROW]
        rates = columns.numbers[state.SAMPLING_COLUMN, row : row + cursor[state.BLOCK_COUNT]]
        if not fill_rates(buffer, forward, template[state.SAMPLING_KIND], cursor, tables, rates):
            return _NEW_RATE
        layout = tables.layouts[cursor[state.BLOCK_LAYOUT], reverse]
        fill_flows(buffer, layout, reverse, cursor, tables, columns)
        kept = keep_countable(reverse, cursor, columns, drops)
        if is_section and kept:
            describe_section(buffer, layout, template[state.SECTION_LINK], cursor, columns)
        cursor[state.ROW] += kept
        if not reverse:
            cursor[state.RECORDS] += kept
    return state.CONTINUE
