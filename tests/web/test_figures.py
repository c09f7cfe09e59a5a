"""Figures of pages that are worked out by themselves: what is said of a difference, and of known time."""

from decimal import Decimal

import pytest

from venturi.interfaces.web.figures import Change, Known
from venturi.services.reports.comparing import Comparability


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(Decimal("6.1"), Comparability.KNOWN), "+6.1 %"),
        (Change(Decimal("-6.1"), Comparability.KNOWN), "−6.1 %"),
        (Change(Decimal("0.0"), Comparability.KNOWN), "0.0 %"),
        (Change(Decimal("6.1"), Comparability.PARTLY_KNOWN), "about +6.1 %"),
        (Change(None, Comparability.NOTHING_BEFORE), "nothing before"),
        (Change(None, Comparability.UNKNOWN), "not known before"),
        (Change(None, Comparability.PARTLY_KNOWN, shorter=True), "metered for less time before"),
    ],
)
def test_a_difference_is_never_said_of_what_is_not_known(change: Change, words: str) -> None:
    assert change.words == words


@pytest.mark.parametrize(
    ("known", "percent"),
    [
        (Known(0, 0), ""),
        (Known(100, 100), "100.000"),
        (Known(99_999_999, 100_000_000), "99.999"),
        (Known(0, 7), "0.000"),
        (Known(1, 3), "33.333"),
    ],
)
def test_known_time_is_all_only_if_it_is_all(known: Known, percent: str) -> None:
    assert known.percent == percent
