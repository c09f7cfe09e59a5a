"""Reading unsigned integers in network order, singly and by columns.

Owns byte order and field widths. Callers have checked that what they read lies in the buffer.
"""

from venturi.core.decode.capture.words import Octets, octet
from venturi.core.decode.export.kernels.state import Words
from venturi.core.kernel import network_reader, step

network_16 = network_reader(2)
"""Read two octets."""

network_32 = network_reader(4)
"""Read four octets."""

signed_64 = network_reader(8)
"""Read eight octets; values from 2^63 on come out negative."""


@step
def read_unsigned(buffer: Octets, place: int, length: int) -> int:
    """Read ``length`` octets, at most eight; values from 2^63 on come out negative (RFC 7011 §6.2, reduced-size encoding)."""
    value = 0
    for number in range(length):
        value = value << 8 | octet(buffer, place + number)
    return value


@step
def fill_unsigned(buffer: Octets, place: int, stride: int, length: int, target: Words) -> None:
    """Write fields of ``length`` octets that lie ``stride`` apart, from ``place`` on, to all rows of ``target``."""
    count = len(target)
    if length == 4:
        for record in range(count):
            target[record] = network_32(buffer, place + record * stride)
    elif length == 8:
        for record in range(count):
            target[record] = signed_64(buffer, place + record * stride)
    elif length == 2:
        for record in range(count):
            target[record] = network_16(buffer, place + record * stride)
    else:
        for record in range(count):
            target[record] = read_unsigned(buffer, place + record * stride, length)
