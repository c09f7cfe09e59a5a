"""Blocks of flow records of a known layout written to columns, field by field.

Owns what a record's fields mean for a flow. Where records begin and end is settled before (``sets``).
"""

from venturi.core.decode.capture.words import Octets
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.octets import fill_unsigned, network_32, signed_64
from venturi.core.decode.export.kernels.packets import write_packet
from venturi.core.decode.export.kernels.rates import fill_rates, read_role
from venturi.core.decode.export.kernels.state import Columns, Event, Tables, Words
from venturi.core.decode.export.kernels.times import Moments, settle_times
from venturi.core.domain.drops import MAXIMUM_COUNT, DropReason
from venturi.core.domain.flow_batch import NO_FLOW_DIRECTION
from venturi.core.kernel import constant, step

_NEW_RATE = int(Event.NEW_RATE)
_TEMPLATE_LIMIT = constant(DropReason.TEMPLATE_LIMIT)
_COUNTER_OUT_OF_RANGE = constant(DropReason.COUNTER_OUT_OF_RANGE)
_LOW_HALF = 8
_COUNT_BITS = 55
"""A count without any bit from here on is in range for sure."""


@step
def count_drop(drops: Words, reason: int, position: int, count: int) -> None:
    """Count drops under a reason, keeping the position of the first (``domain.drops.add_drop``, compiled)."""
    if count > 0:
        if drops[reason, 0] == 0:
            drops[reason, 1] = position
        drops[reason, 0] += count


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
def fill_role(buffer: Octets, layout: Words, role: int, absent: int, cursor: Words, target: Words) -> None:
    """Write the field of a role of the block's records, ``absent`` where they have none."""
    if layout[role, 1]:
        fill_unsigned(buffer, cursor[state.BLOCK_FIRST] + layout[role, 0], cursor[state.BLOCK_STRIDE], layout[role, 1], target)
    else:
        target[:] = absent


@step
def fill_times(buffer: Octets, template: Words, layout: Words, reverse: int, cursor: Words, words: Words) -> None:
    """Write the times of the block's records; the columns of the interfaces, not written yet, serve as working space."""
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
    fill_role(buffer, layout, state.START, state.ABSENT, cursor, moments.starts)
    fill_role(buffer, layout, state.END, state.ABSENT, cursor, moments.ends)
    if moments.has_initials:
        fill_role(buffer, layout, state.INITIAL, state.ABSENT, cursor, moments.initials)
    if moments.duration_unit:
        fill_role(buffer, layout, state.DURATION, state.ABSENT, cursor, moments.durations)
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
    fill_role(buffer, layout, state.PACKETS, state.ABSENT, cursor, words[state.PACKETS_COLUMN])
    fill_role(buffer, layout, state.OCTETS, state.ABSENT, cursor, words[state.OCTETS_COLUMN])
    fill_role(buffer, layout, state.INPUT, state.NO_IFINDEX, cursor, words[state.INPUT_COLUMN])
    fill_role(buffer, layout, state.OUTPUT, state.NO_IFINDEX, cursor, words[state.OUTPUT_COLUMN])
    columns.numbers[state.EXPORTER_COLUMN, cursor[state.ROW] : last] = tables.domains[cursor[state.DOMAIN], state.EXPORTER]


@step
def move_row(columns: Columns, origin: int, target: int) -> None:
    """Copy one row over another."""
    for column in range(state.WORD_COLUMNS):
        columns.words[column, target] = columns.words[column, origin]
    for column in range(2):
        columns.marks[column, target] = columns.marks[column, origin]
        columns.numbers[column, target] = columns.numbers[column, origin]


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
def overlay_packets(buffer: Octets, layout: Words, link_type: int, cursor: Words, columns: Columns, drops: Words) -> int:
    """Give the block's one row the addresses and counts of the packet whose first octets it holds; give the number of rows kept."""
    first = cursor[state.BLOCK_FIRST]
    captured = layout[state.SECTION, 1]
    original = read_role(buffer, first, layout, state.FRAME_SIZE)
    status = write_packet(
        buffer, first + layout[state.SECTION, 0], captured, max(captured, original), link_type, columns, cursor[state.ROW]
    )
    if status:
        count_drop(drops, status - 1, cursor[state.POSITION], state.ONE)
    return 0 if status else 1


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
            kept = overlay_packets(buffer, layout, template[state.SECTION_LINK], cursor, columns, drops)
        cursor[state.ROW] += kept
        if not reverse:
            cursor[state.RECORDS] += kept
    return state.CONTINUE
