"""Search tables: the intervals of one side, breadth first, as the programs read them.

Owns the form of a table in octets (``bpf/search.h``): nodes of seven ends of intervals, inner nodes numbered as in a heap, and the lowest
level behind them, with the classes. Ends are held as their complements.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.traffic_classes import TrafficClasses

_CHILDREN = 8
_CHILD_BITS = 3
_SMALLEST_OCTETS = 64
_WINDOW_PLACES = 1 << 32


class Form(IntEnum):
    """What of an address of IPv6 tells its class: all of it, its high 64 bits, or 32 of those, in a window where all ends lie."""

    WHOLE = 0
    HIGH_WORD = 1
    WINDOW = 2


class SearchTable(NamedTuple):
    """A search table and the numbers by which the programs find their way in it.

    Above the lowest level are ``levels`` others; nodes have the numbers of ``inner_mask`` and ``leaf_mask``; the lowest level begins at
    ``leaf_start`` octets. ``only_class`` is the class of all addresses, None where there are several. ``content`` (uint8) is what the
    kernel's map holds.
    """

    levels: int
    inner_mask: int
    leaf_mask: int
    leaf_start: int
    only_class: int | None
    content: NDArray[np.uint8]
    keys: "SearchKeys"


class SearchKeys(NamedTuple):
    """What is compared: ``complements`` of the last addresses of all intervals but the highest, shape (intervals - 1, words).

    Words are 32 bits in a ``WINDOW`` and for IPv4, else 64, the higher first. In a window, an address is its high word shifted right by
    ``shift`` bits, less ``base``.
    """

    complements: NDArray[Any]
    form: Form = Form.WHOLE
    shift: int = 0
    base: int = 0


def lay_out(classes: TrafficClasses) -> SearchTable:
    """Lay the intervals of one side out for the search."""
    keys = _keys_of(classes)
    ends = keys.complements
    if not len(ends):
        return SearchTable(0, 0, 0, 0, classes.classes[0], np.zeros(_SMALLEST_OCTETS, dtype=np.uint8), keys)
    leaf_bits = (len(ends) // _CHILDREN).bit_length()
    levels = -(-leaf_bits // _CHILD_BITS)
    inner = _inner_nodes(ends, levels)
    lowest = _lowest_nodes(ends, np.array(classes.classes, dtype=np.uint32), 1 << leaf_bits)
    content = np.concatenate([inner.reshape(-1).view(np.uint8), lowest.reshape(-1)])
    return SearchTable(levels, max(0, len(inner) - 1), (1 << leaf_bits) - 1, inner.nbytes, None, content, keys)


def _keys_of(classes: TrafficClasses) -> SearchKeys:
    if classes.family == 4:  # noqa: PLR2004 - the IP version
        return SearchKeys(-np.array(classes.starts[1:], dtype=np.uint32)[:, np.newaxis])
    octets = b"".join([start.to_bytes(16) for start in classes.starts[1:]])
    high, low = np.frombuffer(octets, dtype=">u8").astype(np.uint64).reshape(-1, 2).T
    if not len(low) or low.any():
        return SearchKeys(np.stack([~high + (low == 0), -low], axis=1))
    return _window_of(high) or SearchKeys(-high[:, np.newaxis], Form.HIGH_WORD)


def _window_of(starts: NDArray[np.uint64]) -> SearchKeys | None:
    """Give keys of 32 bits, None where they do not do; ``starts`` ascend and are the high words of all intervals' but the lowest."""
    together = int(np.bitwise_or.reduce(starts))
    shift = (together & -together).bit_length() - 1
    places = starts >> np.uint64(shift)
    base = int(places[0]) - 1
    if int(places[-1]) - base >= _WINDOW_PLACES:
        return None
    return SearchKeys(-(places - np.uint64(base)).astype(np.uint32)[:, np.newaxis], Form.WINDOW, shift, base)


def _inner_nodes(ends: NDArray[Any], levels: int) -> NDArray[Any]:
    """Give the nodes above the lowest level, by number: the ends of all intervals below a child, for all children but the highest."""
    nodes = _empty((2 * _CHILDREN ** (levels - 1) if levels else 0, _CHILDREN), ends)
    for level in range(levels):
        below = _CHILDREN ** (levels - level)
        of_level = _in_nodes(ends[below - 1 :: below])
        first = _CHILDREN**level
        nodes[first : first + len(of_level)] = of_level
    return nodes


def _lowest_nodes(ends: NDArray[Any], classes: NDArray[np.uint32], slots: int) -> NDArray[np.uint8]:
    """Give the nodes of the lowest level: ends of intervals, and the classes of theirs; shape (slots, octets)."""
    nodes = _empty((slots, _CHILDREN), ends)
    of_level = _in_nodes(ends)
    nodes[: len(of_level)] = of_level
    class_rows = np.full(slots * _CHILDREN, classes[-1], dtype=np.uint32)
    class_rows[: len(classes)] = classes
    return np.concatenate([rows.reshape(slots, -1).view(np.uint8) for rows in (nodes, class_rows)], axis=1)


def _in_nodes(ends: NDArray[Any]) -> NDArray[Any]:
    """Cut ends into rows of eight, of which a node has room for seven: the eighth parts it from the next node, higher up."""
    rows = _empty((-(-len(ends) // _CHILDREN), _CHILDREN), ends)
    rows.reshape(-1, ends.shape[1])[: len(ends)] = ends
    rows[:, -1] = 0
    return rows


def _empty(shape: tuple[int, ...], ends: NDArray[Any]) -> NDArray[Any]:
    """Make room for ends: the complement 0 stands for one that is below no address."""
    return np.zeros((*shape, ends.shape[1]), dtype=ends.dtype)
