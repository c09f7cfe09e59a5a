"""The grammars that documents tell are those of the parsers: a text has the form if and only if it is read."""

import re
from calendar import isleap
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from venturi.core.domain.errors import InvalidPrefixError, InvalidTimeError
from venturi.core.domain.grammars import ADDRESS, PREFIX, PREFIX_OR_EMPTY, TIME, TIME_OF_EXPIRY, TIME_OF_USAGE
from venturi.core.domain.interval import parse_time
from venturi.core.domain.prefix import Prefix, parse_address

ADDRESSES = "0123456789abcdefF:.%"


def has_form(grammar: str, text: str) -> bool:
    """Tell whether a text has a form from its first to its last character."""
    return re.match(grammar, text) is not None


def reads(parse: Callable[[str], object], text: str) -> bool:
    """Tell whether a parser takes a text."""
    try:
        parse(text)
    except (InvalidPrefixError, InvalidTimeError):
        return False
    return True


def read_plain_address(text: str) -> object:
    """Read an address that has no zone, as packets and exporters have them."""
    if "%" in text:
        raise InvalidPrefixError(text)
    return parse_address(text)


def mixed(alphabet: str, grammar: str) -> st.SearchStrategy[str]:
    """Texts of a grammar, texts of its characters, and texts of the grammar with one character replaced."""
    right = st.from_regex(grammar)
    characters = st.sampled_from(alphabet)

    def change(parts: tuple[str, int, str]) -> str:
        text, place, character = parts
        at = place % max(1, len(text))
        return text[:at] + character + text[at + 1 :]

    return right | st.text(characters, max_size=50) | st.tuples(right, st.integers(0, 60), characters).map(change)


@given(mixed(ADDRESSES, ADDRESS))
@example("::ffff:192.0.2.1")
@example("1:2:3:4:5:6:7::")
@example("1::2:3:4:5:6:7:8")
@example("fe80::1%eth0")
@example("010.0.0.1")
def test_addresses(text: str) -> None:
    assert has_form(ADDRESS, text) == reads(read_plain_address, text)


@given(mixed(ADDRESSES + "/", PREFIX))
@example("10.0.0.0/0.0.0.255")
@example("10.0.0.0/255.255.0.0")
@example("10.0.0.0/255.0.255.0")
@example("10.0.0.0/024")
@example("10.0.0.0/33")
@example("10.0.0.0/")
@example("::/0128")
@example("::/129")
@example("::/255.0.0.0")
def test_prefixes(text: str) -> None:
    assert has_form(PREFIX, text) == reads(Prefix.parse, text)
    assert has_form(PREFIX_OR_EMPTY, text) == (not text or reads(Prefix.parse, text))


@given(mixed("0123456789-:TtZz+. ", TIME))
@example("2024-02-29")
@example("1900-02-29")
@example("2000-02-29T00:00:00.123456789+23:59")
@example("0000-01-01")
@example("2026-03-01T24:00:00Z")
@example("2026-03-01T23:59:60Z")
@example("2026-03-01T00:00:00+24:00")
@example("2026-03-01T00:00:00.1234567890Z")
@example("2026-03-01T00:00:00")
def test_times(text: str) -> None:
    assert has_form(TIME, text) == reads(parse_time, text)


@given(mixed("0123456789-:TtZz+. ", f"{TIME}|{TIME_OF_USAGE}|{TIME_OF_EXPIRY}"))
@example("1969-12-31T23:59:59Z")
@example("1970-01-01")
@example("1972-02-29")
@example("2000-02-29")
@example("2100-02-29")
@example("2260-02-29")
@example("2261-12-31T23:59:59.999999999-23:59")
@example("2262-01-01")
@example("9996-02-29")
def test_times_within_years(text: str) -> None:
    assert has_form(TIME_OF_USAGE, text) == (reads(parse_time, text) and text[:4] >= "1970")
    assert has_form(TIME_OF_EXPIRY, text) == (reads(parse_time, text) and text[:4] <= "2261")


def test_every_leap_day_has_its_form() -> None:
    for year in range(1, 10_000):
        text = f"{year:04}-02-29"
        assert has_form(TIME, text) == reads(parse_time, text) == isleap(year)
        assert has_form(TIME_OF_USAGE, text) == (isleap(year) and year >= 1970)
        assert has_form(TIME_OF_EXPIRY, text) == (isleap(year) and year <= 2261)


@pytest.mark.parametrize(("grammar", "parse"), [(TIME, parse_time), (PREFIX, Prefix.parse), (ADDRESS, parse_address)])
def test_digits_are_those_of_ascii(grammar: str, parse: Callable[[str], object]) -> None:
    for text in ("2026-03-01T00:00:00.\u0663Z", "\u0661\u0660.0.0.1", "10.0.0.0/\u0662"):
        assert not has_form(grammar, text)
        assert not reads(parse, text)
