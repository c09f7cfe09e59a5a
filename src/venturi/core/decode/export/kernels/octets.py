"""Reading unsigned integers in network order, singly and by columns.

Owns byte order and field widths. Callers have checked that what they read lies in the buffer.
"""

from typing import Any

from numpy.typing import NDArray

from venturi.core.decode.capture.words import Octets, network_16, network_32, octet, signed_64
from venturi.core.decode.export.kernels.state import Words
from venturi.core.kernel import step


@step
def read_unsigned(buffer: Octets, place: int, length: int) -> int:
    """Read ``length`` octets, at most eight; values from 2^63 on come out negative (RFC 7011 §6.2, reduced-size encoding)."""
    value = 0
    for number in range(length):
        value = value << 8 | octet(buffer, place + number)
    return value


@step
def fill_unsigned(buffer: Octets, place: int, stride: int, length: int, target: Words) -> int:
    """Write fields of ``length`` octets that lie ``stride`` apart, from ``place`` on, to all rows of ``target``; give all bits in them."""
    count = len(target)
    bits = 0
    if length == 4:
        for record in range(count):
            value = network_32(buffer, place + record * stride)
            bits |= value
            target[record] = value
    elif length == 8:
        for record in range(count):
            value = signed_64(buffer, place + record * stride)
            bits |= value
            target[record] = value
    elif length == 2:
        for record in range(count):
            value = network_16(buffer, place + record * stride)
            bits |= value
            target[record] = value
    else:
        for record in range(count):
            value = read_unsigned(buffer, place + record * stride, length)
            bits |= value
            target[record] = value
    return bits


@step
def fill_alike(target: NDArray[Any], value: int) -> None:
    """Write one number to all rows of ``target``; assigning to a slice would be the slower way."""
    for record in range(len(target)):
        target[record] = value
