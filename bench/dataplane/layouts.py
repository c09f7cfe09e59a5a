"""The layouts: ways to meter a router, or not to.

Owns what they have in common, and the one that does nothing. A layout is put into a router's namespace and counts what the router forwards.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class LabelCounts(NamedTuple):
    """Packets and octets by number of the label: int64, shape (labels,)."""

    packets: NDArray[np.int64]
    octets: NDArray[np.int64]


class Layout(Protocol):
    """One way to meter a router."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def install(self, namespace: str) -> None:
        """Begin to meter what the router in ``namespace`` forwards."""
        ...

    def counts(self) -> LabelCounts | None:
        """Give what has been counted since; None where nothing is."""
        ...

    def remove(self) -> None:
        """Undo what would outlive the namespace."""
        ...


class NoMetering:
    """The router as it is."""

    def __init__(self, name: str) -> None:
        """Take a name for it."""
        self.name = name

    def install(self, namespace: str) -> None:
        """Leave the router alone."""

    def counts(self) -> LabelCounts | None:
        """Give nothing."""
        return None

    def remove(self) -> None:
        """Leave nothing behind, as nothing was done."""


def no_counts(labels: int) -> LabelCounts:
    """Give the counts of labels that have seen nothing."""
    return LabelCounts(np.zeros(labels, dtype=np.int64), np.zeros(labels, dtype=np.int64))
