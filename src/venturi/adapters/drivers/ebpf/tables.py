"""Search tables: the intervals of one side, breadth first, as the programs read them.

Owns the form of a table in octets (``bpf/search.h``).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.traffic_classes import TrafficClasses


class SearchTable(NamedTuple):
    """A table of ``1 << depth`` keys and as many classes; ``content`` (uint8) is what the kernel's map holds.

    ``narrow`` is whether the keys are one word (IPv4, or IPv6 whose intervals all begin at multiples of a /64).
    """

    depth: int
    narrow: bool
    content: NDArray[np.uint8]


def lay_out(classes: TrafficClasses) -> SearchTable:
    """Lay the intervals of one side out for the search."""
    depth = (len(classes.starts) - 1).bit_length()
    class_numbers = _padded(np.array(classes.classes, dtype=np.uint32), 1 << depth, classes.classes[-1])
    words = _words_of(classes)
    keys = np.stack([_breadth_first(word, depth) for word in words], axis=-1)
    content = np.concatenate([keys.reshape(-1).view(np.uint8), class_numbers.view(np.uint8)])
    return SearchTable(depth, len(words) == 1, _padded(content, -(-len(content) // 8) * 8, 0))


def _words_of(classes: TrafficClasses) -> list[NDArray[Any]]:
    """Give the starts in words, the higher first: one for IPv4, one or two for IPv6."""
    if classes.family == 4:  # noqa: PLR2004 - the IP version
        return [np.array(classes.starts, dtype=np.uint32)]
    octets = b"".join([start.to_bytes(16) for start in classes.starts])
    words = np.frombuffer(octets, dtype=">u8").astype(np.uint64).reshape(-1, 2)
    return [words[:, 0], words[:, 1]] if words[:, 1].any() else [words[:, 0]]


def _breadth_first(starts: NDArray[Any], depth: int) -> NDArray[Any]:
    """Order all starts but the first, which every address reaches; the missing ones are the highest number."""
    ascending = _padded(starts[1:], (1 << depth) - 1, np.iinfo(starts.dtype).max)
    keys = np.zeros(1 << depth, dtype=starts.dtype)
    for level in range(depth):
        keys[1 << level : 2 << level] = ascending[(1 << depth - level - 1) - 1 :: 1 << depth - level]
    return keys


def _padded(column: NDArray[Any], length: int, filling: int) -> NDArray[Any]:
    padded = np.full(length, filling, dtype=column.dtype)
    padded[: len(column)] = column
    return padded
