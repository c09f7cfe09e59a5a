"""Figures and prices: rounding, tiers, minimum charge and credits, held to decimal arithmetic and to sums unit by unit."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.metering import label, project, terms
from venturi.core.contracts.pricing import price, total
from venturi.core.contracts.terms import Credit, Of, PercentileMeasure, Terms, Tier, Tiers, VolumeMeasure
from venturi.core.contracts.units import Rounding, read_quantity, round_to, spell_decimal, spell_exact
from venturi.core.domain.errors import InvalidContractError, InvalidRequestError

_AMOUNTS = st.decimals(0, 10_000, places=2).map(lambda amount: f"{amount:f}")
_WORDS = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.UP: ROUND_UP, Rounding.DOWN: ROUND_DOWN}
_EXACT = Context(prec=200)


@given(st.decimals(0, 10**9, places=6), st.integers(0, 5), st.sampled_from(list(Rounding)))
def test_rounding_is_that_of_decimals(value: Decimal, decimals: int, rounding: Rounding) -> None:
    expected = value.quantize(Decimal(1).scaleb(-decimals), rounding=_WORDS[rounding], context=_EXACT)
    assert spell_decimal(round_to(Fraction(value), decimals, rounding), decimals) == f"{expected:f}"


def test_spelling() -> None:
    cases = {"0.5": "1", "0.49": "0", "-0.5": "-1", "-0.4": "0", "1234.999": "1235"}
    assert {text: spell_decimal(Fraction(text), 0) for text in cases} == cases
    exact = {"100": "100", "0": "0", "2.50": "2.5", "0.000000001": "0.000000001", "-3": "-3"}
    assert {text: spell_exact(Fraction(text)) for text in exact} == exact


@given(st.integers(0, 300), st.integers(0, 60), st.lists(st.integers(1, 120), max_size=3, unique=True), st.sampled_from(list(Tiers)))
def test_tiers_are_sums_over_units(volume: int, included: int, bounds: list[int], tiering: Tiers) -> None:
    prices = [f"0.{place + 1}1" for place in range(len(bounds) + 1)]
    ends = [*map(str, sorted(bounds)), None]
    tiers = tuple(Tier(price=each, up_to=end) for each, end in zip(prices, ends, strict=True))
    measure = VolumeMeasure(included=str(included), tiers=tiers, tiering=tiering)
    lines = price(terms(label(1), measure=measure, currency="EUR").check(), Fraction(volume))
    beyond = range(max(0, volume - included))

    def tier_of(unit: int) -> int:
        return sum(unit >= bound for bound in bounds)

    if tiering is Tiers.GRADED:
        expected = sum((Decimal(prices[tier_of(unit)]) for unit in beyond), Decimal(0))
    else:
        expected = len(beyond) * Decimal(prices[tier_of(len(beyond) - 1)]) if beyond else Decimal(0)
    assert Decimal(spell_decimal(total(lines), 2)) == expected
    assert sum(line.quantity for line in lines if line.quantity is not None) == volume


@given(_AMOUNTS, _AMOUNTS, _AMOUNTS, _AMOUNTS, _AMOUNTS, st.lists(_AMOUNTS, max_size=3), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_percentiles_are_priced_as_by_hand(
    figure: str, commit: str, commit_price: str, burst_price: str, minimum: str, credits_given: list[str], currency: str
) -> None:
    places = {"EUR": "0.01", "JPY": "1", "KWD": "0.001"}[currency]

    def money(amount: Decimal) -> Decimal:
        return amount.quantize(Decimal(places), rounding=ROUND_HALF_UP, context=_EXACT)

    measure = PercentileMeasure(commit=commit, commit_price=commit_price, burst_price=burst_price)
    given_credits = tuple(Credit(name="c", amount=amount) for amount in credits_given)
    said = terms(label(1), measure=measure, currency=currency, minimum_charge=minimum, credits=given_credits).check()
    over = max(Decimal(0), Decimal(figure) - Decimal(commit))
    owed = money(Decimal(commit) * Decimal(commit_price)) + money(over * Decimal(burst_price))
    owed = max(owed, money(Decimal(minimum)))
    for amount in credits_given:
        owed = max(Decimal(0), owed - money(Decimal(amount)))
    lines = price(said, Fraction(figure))
    assert Decimal(spell_decimal(total(lines), 3)) == owed
    assert all(
        line.amount == round_to(line.quantity * line.price, 3) or currency != "KWD" for line in lines if line.quantity and line.price
    )


REFUSED = [
    ("unit", {"unit": "GB"}),
    ("unit", {"unit": "furlong"}),
    ("currency", {"currency": "XYZ"}),
    ("currency", {"minimum_charge": "1"}),
    ("percentile", {"measure": PercentileMeasure(percentile="0")}),
    ("percentile", {"measure": PercentileMeasure(percentile="100.1")}),
    ("least_known", {"measure": PercentileMeasure(least_known="101")}),
    ("of", {"measure": VolumeMeasure(of=Of.MAX_OF_PERCENTILES)}),
    ("tiers", {"measure": VolumeMeasure(tiers=(Tier(price="1", up_to="5"),))}),
    ("tiers", {"measure": VolumeMeasure(tiers=(Tier(price="1"), Tier(price="2")))}),
    ("tiers", {"measure": VolumeMeasure(tiers=(Tier(price="1", up_to="5"), Tier(price="1", up_to="5"), Tier(price="2")))}),
    ("members", {"members": (label(1), label(1))}),
    ("members", {"members": tuple(project(f"{number:0255}") for number in range(500))}),
]


@pytest.mark.parametrize(("field", "changed"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_terms_that_cannot_be_are_refused_by_field(field: str, changed: dict[str, object]) -> None:
    given_terms = {name: getattr(terms(label(1)), name) for name in Terms.__struct_fields__} | changed
    with pytest.raises(InvalidContractError, match=f"^{field}: "):
        Terms(**given_terms).check()


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [("6.5Gbit/s", "Mbit/s", 6500), ("6.5 Gbit/s", "Gbit/s", Fraction("6.5")), ("1GiB", "MiB", 1024), ("1GB", "kB", 10**6)],
)
def test_quantities_are_read_in_any_unit_of_their_sort(text: str, unit: str, expected: Fraction) -> None:
    assert read_quantity(text, unit) == expected


@pytest.mark.parametrize("text", ["6.5", "Gbit/s", "6.5GB", "-1Gbit/s", "1e3bit/s", "", "6,5Gbit/s", "٣Gbit/s"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="Mbit/s"):
        read_quantity(text, "Mbit/s")
