"""Reading unsigned integers of a buffer in either byte order.

Owns byte order. Callers have checked that what they read lies in the buffer.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from venturi.core.kernel import step

Octets = NDArray[np.uint8]
"""A buffer of octets, shape (octets,)."""

_signed: Any = np.int64


@step
def octet(buffer: Octets, place: int) -> int:
    """Read one octet as a signed 64-bit number, so that what is calculated with it stays one."""
    value: int = _signed(buffer[place])
    return value


@step
def network_16(buffer: Octets, place: int) -> int:
    """Read two octets in network order."""
    return octet(buffer, place) << 8 | octet(buffer, place + 1)


@step
def network_32(buffer: Octets, place: int) -> int:
    """Read four octets in network order."""
    high = octet(buffer, place) << 24 | octet(buffer, place + 1) << 16
    return high | octet(buffer, place + 2) << 8 | octet(buffer, place + 3)


@step
def network_64(buffer: Octets, place: int) -> np.uint64:
    """Read eight octets in network order."""
    return np.uint64(network_32(buffer, place)) << np.uint64(32) | np.uint64(network_32(buffer, place + 4))


@step
def ordered_16(buffer: Octets, place: int, little: int) -> int:
    """Read two octets, the lowest first if ``little`` is 1."""
    if little == 1:
        return octet(buffer, place + 1) << 8 | octet(buffer, place)
    return octet(buffer, place) << 8 | octet(buffer, place + 1)


@step
def ordered_32(buffer: Octets, place: int, little: int) -> int:
    """Read four octets, the lowest first if ``little`` is 1."""
    first = octet(buffer, place) << 8 | octet(buffer, place + 1)
    second = octet(buffer, place + 2) << 8 | octet(buffer, place + 3)
    if little == 1:
        return (second & 0xFF) << 24 | (second >> 8) << 16 | (first & 0xFF) << 8 | first >> 8
    return first << 16 | second
