"""Targets: a figure, what it is held to, and whether it was met."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.measure.processes import Figures
from bench.measure.requests import RequestFigures


@dataclass(frozen=True)
class Target:
    """A claim with the ``measured`` figure and its ``bound``: at least that, or at most for times (``at_most``); ``unit`` follows both."""

    claim: str
    measured: float
    bound: float
    unit: str = "x"
    at_most: bool = False

    @property
    def told(self) -> bool:
        """Whether there is a figure at all."""
        return not math.isnan(self.measured)

    @property
    def met(self) -> bool:
        """Whether the bound holds."""
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound


@dataclass(frozen=True)
class Table:
    """Figures of another kind, spelled already: ``titles``, and ``rows`` of as many cells."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass
class Results:
    """What a group of comparisons gives: figures of programs and of requests, rates of other code by name, tables, targets, remarks."""

    figures: list[Figures] = field(default_factory=list)
    rates: list[tuple[str, float]] = field(default_factory=list)
    requests: list[RequestFigures] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def extend(self, other: "Results") -> None:
        """Add the results of another group."""
        self.figures += other.figures
        self.rates += other.rates
        self.requests += other.requests
        self.tables += other.tables
        self.targets += other.targets
        self.remarks += other.remarks


def ratio(ours: Figures, theirs: Figures) -> float:
    """How many times the wall rate of another program ours is."""
    return ours.wall_rate / theirs.wall_rate
