"""Where the arrays of flow batches come from.

Owns what a decoder asks for, and the plain answer. Memory that is used again is an adapter's affair.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

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
