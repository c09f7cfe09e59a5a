"""Prices: what the figure of a period costs, line by line.

Owns the order of arithmetic: the figure comes rounded; each line is its quantity times its price, exact, then rounded half up to what the
currency has below its unit; the minimum charge and the credits come last. The total is the sum of the lines, so it can be added up by hand.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from venturi.core.contracts.currencies import CURRENCIES
from venturi.core.contracts.terms import PercentileMeasure, Terms, Tiers, VolumeMeasure
from venturi.core.contracts.units import round_to


class PriceLine(NamedTuple):
    """A line of the price: a ``quantity`` of the contract's unit at a ``price`` each, both None for an amount that is no product."""

    name: str
    quantity: Fraction | None
    price: Fraction | None
    amount: Fraction


def price(terms: Terms, figure: Fraction) -> list[PriceLine]:
    """Price the figure of a period, in the unit of ``terms``; without a currency there are no lines."""
    if terms.currency is None:
        return []
    decimals = CURRENCIES[terms.currency]
    measure = terms.measure
    steps = _burst(measure, figure) if isinstance(measure, PercentileMeasure) else _tiers(measure, figure)
    lines = [PriceLine(name, quantity, each, round_to(quantity * each, decimals)) for name, quantity, each in steps]
    lacking = round_to(Fraction(terms.minimum_charge), decimals) - total(lines)
    if lacking > 0:
        lines.append(PriceLine("up to the minimum charge", None, None, lacking))
    for credit in terms.credits:
        amount = min(round_to(Fraction(credit.amount), decimals), total(lines))
        lines.append(PriceLine(f"credit: {credit.name}", None, None, -amount))
    return lines


def total(lines: Sequence[PriceLine]) -> Fraction:
    """Sum the lines; credits take off no more than there is."""
    return sum((line.amount for line in lines), Fraction(0))


def _burst(measure: PercentileMeasure, figure: Fraction) -> Iterator[tuple[str, Fraction, Fraction]]:
    yield "commit", Fraction(measure.commit), Fraction(measure.commit_price)
    yield "overage", max(Fraction(0), figure - Fraction(measure.commit)), Fraction(measure.burst_price)


def _tiers(measure: VolumeMeasure, figure: Fraction) -> Iterator[tuple[str, Fraction, Fraction]]:
    """Give the included volume, then what is beyond it: in each tier that it reaches, or all in the last of these."""
    included = Fraction(measure.included)
    yield "included", min(figure, included), Fraction(0)
    beyond, start = max(Fraction(0), figure - included), Fraction(0)
    for number, tier in enumerate(measure.tiers, 1):
        end = None if tier.up_to is None else Fraction(tier.up_to)
        reached = beyond if end is None else min(beyond, end)
        last = end is None or beyond <= end
        if measure.tiering is Tiers.GRADED and (reached > start or number == 1):
            yield f"tier {number}", reached - start, Fraction(tier.price)
        elif measure.tiering is Tiers.FLAT and last:
            yield f"tier {number}", beyond, Fraction(tier.price)
        if last:
            return
        start = reached
