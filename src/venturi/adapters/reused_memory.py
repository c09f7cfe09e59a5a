"""Memory of arrays that is written anew once nobody refers to what it held.

Owns the question whether anybody still does. Fresh memory costs a page fault for every page, and pushes out of the caches what is in use.
"""

import weakref
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.decoder import Arrays

_MOST_SETS = 8
_SPARE = 4


class ReusedMemory:
    """Sets of arrays, of each make as many as are in use at one time (an ``ArrayMemory``).

    What is handed out lies over memory kept here. Every view of it refers to it, so when it is gone the memory is free again.
    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._sets: defaultdict[Callable[[int], Any], list[_MemoryOfSet]] = defaultdict(list)

    def take(self, make: Callable[[int], Arrays], rows: int) -> Arrays:
        """Give a set of at least ``rows`` rows, in use as long as there is a view of any of its arrays."""
        known = self._sets[make]
        free = next((memory for memory in known if memory.rows >= rows and memory.is_free), None)
        if free is None:
            free = _MemoryOfSet(make(max(rows + rows // _SPARE, 1)))
            known.append(free)
            del known[:-_MOST_SETS]
        handed_out: Arrays = free.hand_out()
        return handed_out


class _MemoryOfSet:
    """The memory of one set. It is no array's own: a view of what is handed out would refer to that array, not to what was handed out."""

    def __init__(self, arrays: tuple[NDArray[Any], ...]) -> None:
        self.rows = arrays[0].shape[-1]
        self._kind = type(arrays)
        self._parts = [(array.shape, array.dtype, bytearray(array.data)) for array in arrays]
        self._uses: list[weakref.ref[NDArray[Any]]] = []

    @property
    def is_free(self) -> bool:
        return all(use() is None for use in self._uses)

    def hand_out(self) -> Any:  # noqa: ANN401 - a named tuple of the kind that was made
        arrays = [np.ndarray(shape, dtype, octets) for shape, dtype, octets in self._parts]
        self._uses = [weakref.ref(array) for array in arrays]
        return self._kind(*arrays)
