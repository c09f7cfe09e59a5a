"""Sampling rates of records, as numbers of the table of rates.

Owns their precedence. What options tell is kept by Python (``domains``).
"""

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.words import Octets
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.lookup import find_number
from venturi.core.decode.export.kernels.octets import read_unsigned
from venturi.core.decode.export.kernels.state import Tables, Words
from venturi.core.kernel import step

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
