"""What a walk keeps the books of: drops, rows, and what of an exporter's messages never came.

Owns the arithmetic of sequence numbers, whose units are the protocol's own: flows (NetFlow v5), datagrams (v9, sFlow), data
records (IPFIX). Knows no message.
"""

from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.state import Columns, Words
from venturi.core.kernel import step

_WRAP = 1 << 32
_LATE_DATAGRAMS = 1000
_RECORDS_PER_DATAGRAM = 64


@step
def count_drop(drops: Words, reason: int, position: int, count: int) -> None:
    """Count drops under a reason, keeping the position of the first (``domain.drops.add_drop``, compiled)."""
    if count > 0:
        if drops[reason, 0] == 0:
            drops[reason, 1] = position
        drops[reason, 0] += count


@step
def move_row(columns: Columns, origin: int, target: int) -> None:
    """Copy one row over another."""
    for column in range(state.WORD_COLUMNS):
        columns.words[column, target] = columns.words[column, origin]
    for column in range(2):
        columns.marks[column, target] = columns.marks[column, origin]
        columns.numbers[column, target] = columns.numbers[column, origin]


@step
def observe_sequence(domain: Words, cursor: Words, units: int) -> None:
    """Compare the message's sequence number with the expected one; ``units`` is what the message adds to it, or -1 if unknowable.

    A number ahead of the expected one means loss; one a little behind, a message that comes late and was counted as lost before;
    one far behind, or zero, an exporter that started anew. After an unknowable message nothing is expected.
    """
    sequence = cursor[state.SEQUENCE]
    expected = domain[state.EXPECTED_SEQUENCE]
    domain[state.MESSAGES] += 1
    behind = (expected - sequence) & (_WRAP - 1)
    window = _LATE_DATAGRAMS
    if cursor[state.VERSION] in (5, 10):
        window *= _RECORDS_PER_DATAGRAM
    if expected >= 0 and behind >= _WRAP >> 1:
        domain[state.LOST] += _WRAP - behind
    elif expected >= 0 and 0 < behind <= window and sequence > 0:
        domain[state.OUT_OF_ORDER] += 1
        domain[state.LOST] -= min(domain[state.LOST], max(units, 0))
        return
    elif expected >= 0 and behind > 0:
        domain[state.RESTARTS] += 1
    domain[state.EXPECTED_SEQUENCE] = (sequence + units) & (_WRAP - 1) if units >= 0 else -1
