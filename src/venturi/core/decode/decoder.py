"""What every decoder of a stream of octets offers, whatever the format, and where the arrays of its flow batches come from.

Owns what a decoder asks for, and the plain answer. Memory that is used again is an adapter's affair.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from venturi.core.domain.flow_batch import FlowBatch

Arrays = TypeVar("Arrays", bound=tuple[NDArray[Any], ...])
"""A set of arrays, a named tuple; the last dimension of the first is its rows."""


class ArrayMemory(Protocol):
    """Gives the sets of arrays that a decoder writes to."""

    def take(self, make: Callable[[int], Arrays], rows: int) -> Arrays:
        """Give a set that ``make`` made for ``rows`` rows or more; one that was in use before holds what was left in it."""
        ...


class FreshMemory:
    """Gives sets that were just made (an ``ArrayMemory``)."""

    def take(self, make: Callable[[int], Arrays], rows: int) -> Arrays:
        """Make a set."""
        return make(rows)


class StreamDecoder(Protocol):
    """Turns the octets of one input into flow batches, buffer by buffer.

    ``drops`` is the drop table of the input (``domain.drops``).
    """

    drops: NDArray[np.int64]

    @property
    def records(self) -> int:
        """Packets or flow records decoded so far."""
        ...

    def decode(self, buffer: NDArray[np.uint8], *, final: bool) -> tuple[FlowBatch, int]:
        """Decode what is whole in ``buffer`` (uint8, shape (octets,)); give the flows and the number of octets used up.

        The next buffer begins with the octets not used up. ``final`` says that nothing follows: the decoder then uses up all.
        The batch holds copies, never views of ``buffer``. With ``final`` false and nothing used up, the decoder needs a larger buffer.
        """
        ...
