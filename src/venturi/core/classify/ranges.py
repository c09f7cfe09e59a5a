"""Ranges of rows: joined into one list of row numbers, and cut into parts that stay within a bound.

Owns this arithmetic of arrays alone; what the rows are is for those who use it.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def join_ranges(firsts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """List the numbers of ranges that begin at ``firsts`` and have ``sizes``, one range after the other: int64, shape (sum of sizes,)."""
    return np.repeat(firsts - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())


def cut_into_parts(sizes: NDArray[np.int64], most: int) -> Iterator[slice]:
    """Cut rows of these sizes into parts whose sizes sum to about ``most``, a single larger row aside; no rows are no part."""
    borders = (np.flatnonzero(np.diff(np.cumsum(sizes) // most)) + 1).tolist()
    for start, end in zip([0, *borders], [*borders, len(sizes)], strict=True):
        if end > start:
            yield slice(start, end)
