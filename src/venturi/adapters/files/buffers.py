"""Buffers between a stream and a decoder: one that is refilled behind what the decoder left, and grows where it asks for more.

Owns the buffer and its bounds. Knows nothing of formats.
"""

from collections.abc import Generator
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from venturi.adapters.edges import FILES_EDGE

BUFFER_LENGTH = 2 << 20
"""Octets of a buffer at first: so few that what is decoded from them is still in the caches when it is metered."""

LONGEST_BUFFER = 64 << 20
"""Octets that a buffer may grow to; no well-formed record of a known format needs as many."""

Result_co = TypeVar("Result_co", covariant=True)
Result = TypeVar("Result")


class Source(Protocol):
    """A stream to read from, such as ``InputStream``."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Put some octets into ``buffer`` and tell how many, 0 only at the end."""
        ...


class Decode(Protocol[Result_co]):
    """The decoding step, such as ``StreamDecoder.decode``: what a buffer holds, and the octets of it used up."""

    def __call__(self, buffer: NDArray[np.uint8], /, *, final: bool) -> tuple[Result_co, int]:
        """Decode what is whole in ``buffer`` (uint8, shape (octets,))."""
        ...


@FILES_EDGE.function
def decode_stream(source: Source, decode: Decode[Result], *, length: int = BUFFER_LENGTH) -> Generator[Result, None, None]:
    """Give the results of ``decode`` over all of ``source``; a result may refer to the buffer and holds only until the next.

    The buffer of ``length`` octets is full at each call but the last, which is ``final``, and doubles when the decoder uses nothing
    of it. An input that would need more than ``LONGEST_BUFFER`` ends there, as if the source did.
    """
    buffer = np.empty(length, dtype=np.uint8)
    filled = 0
    final = False
    while not final:
        filled += _fill(source, buffer[filled:])
        final = filled < len(buffer)
        result, used = decode(buffer[:filled], final=final)
        yield result
        if used or final:
            buffer[: filled - used] = buffer[used:filled]
            filled -= used
        elif 2 * len(buffer) <= LONGEST_BUFFER:
            buffer = np.concatenate([buffer, np.empty_like(buffer)])
        else:
            result, _ = decode(buffer[:filled], final=True)
            yield result
            final = True


def _fill(source: Source, room: NDArray[np.uint8]) -> int:
    """Read until ``room`` is full or the source ends; give the number of octets."""
    view = room.data
    count = 0
    while count < len(view) and (more := source.readinto(view[count:])):
        count += more
    return count
