"""The groups of a report that are told apart because they are ranked first; all others are one row of each boundary.

Owns the ranking, over the whole report and in both directions together. How others are summed is for ``groups``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from venturi.core.ledger.covering import Covering
from venturi.services.reports.coverage import PointTime
from venturi.services.reports.groups import Group, Identity
from venturi.services.reports.request import Order, Top

Row = tuple[Group, Sequence[int], Covering, PointTime]
"""What a group counted, packets and octets first, and how much of the truth that is."""


def choose_largest(rows: Iterable[Row], top: Top) -> Mapping[Identity, int]:
    """Give the places of the groups that are ranked first in their boundary; ``rows`` has each once."""
    ranked: defaultdict[str | None, list[tuple[Fraction, str, Identity]]] = defaultdict(list)
    for group, counts, covering, _ in rows:
        ranked[group.boundary].append((-_measure(counts, covering, top.order), group.spelled, group.identity))
    return {identity: place for some in ranked.values() for place, (_, _, identity) in enumerate(sorted(some, key=_rank)[: top.count])}


def _rank(ranked: tuple[Fraction, str, Identity]) -> tuple[Fraction, str, str]:
    measure, spelled, identity = ranked
    return measure, spelled, str(identity)


def _measure(counts: Sequence[int], covering: Covering, order: Order) -> Fraction:
    packets, octets = counts[:2]
    if order is Order.NAME:
        return Fraction(0)
    if order is Order.RATE:
        return Fraction(octets, covering.known) if covering.known else Fraction(0)
    return Fraction(packets if order is Order.PACKETS else octets)
