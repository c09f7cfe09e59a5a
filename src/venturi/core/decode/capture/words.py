"""Reading unsigned integers of a buffer in either byte order.

Owns byte order. Callers have checked that what they read lies in the buffer.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from venturi.core.kernel import network_reader, step

Octets = NDArray[np.uint8]
"""A buffer of octets, shape (octets,)."""

_signed: Any = np.int64


@step
def octet(buffer: Octets, place: int) -> int:
    """Read one octet as a signed 64-bit number, so that what is calculated with it stays one."""
    value: int = _signed(buffer[place])
    return value


network_16 = network_reader(2)
"""Read two octets in network order."""

network_32 = network_reader(4)
"""Read four octets in network order."""

signed_64 = network_reader(8)
"""Read eight octets in network order; values from 2^63 on come out negative."""


@step
def network_64(buffer: Octets, place: int) -> np.uint64:
    """Read eight octets in network order."""
    return np.uint64(signed_64(buffer, place))


@step
def ordered_16(buffer: Octets, place: int, little: int) -> int:
    """Read two octets, the lowest first if ``little`` is 1."""
    if little == 1:
        return octet(buffer, place + 1) << 8 | octet(buffer, place)
    return octet(buffer, place) << 8 | octet(buffer, place + 1)


@step
def ordered_32(buffer: Octets, place: int, little: int) -> int:
    """Read four octets, the lowest first if ``little`` is 1."""
    value = network_32(buffer, place)
    if little == 1:
        return (value & 0xFF) << 24 | (value & 0xFF00) << 8 | (value >> 8) & 0xFF00 | value >> 24
    return value
