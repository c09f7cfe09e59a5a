"""Times and durations: RFC 3339 in and out, aligned to the UTC epoch."""

import pytest

from venturi.core.domain.errors import InvalidTimeError
from venturi.core.domain.interval import SECOND, Interval, Nanoseconds, aligned_interval, format_time, parse_duration, parse_time

_TIMES = {
    "UTC": ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    "an offset": ("2026-03-01T01:00:00+01:00", "2026-03-01T00:00:00Z"),
    "a fraction": ("2026-03-01T00:00:00.25Z", "2026-03-01T00:00:00.25Z"),
    "nanoseconds": ("2026-03-01T00:00:00.123456789Z", "2026-03-01T00:00:00.123456789Z"),
    "a date": ("2026-03-01", "2026-03-01T00:00:00Z"),
    "before the epoch": ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
}


@pytest.mark.parametrize(("text", "spelling"), _TIMES.values(), ids=_TIMES.keys())
def test_times(text: str, spelling: str) -> None:
    """A time keeps its nanoseconds and is spelled in UTC."""
    assert format_time(parse_time(text)) == spelling


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-01T00:00:00", "2026-02-30", "2026-03-01T25:00:00Z", "1767225600"])
def test_refused_times(text: str) -> None:
    """A time without an offset, or none at all, is refused."""
    with pytest.raises(InvalidTimeError, match="RFC 3339"):
        parse_time(text)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), ("1d", 86400)])
def test_durations(text: str, seconds: int) -> None:
    """A duration is a whole number of a unit."""
    assert parse_duration(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "5", "0m", "-5m", "5 m", "1.5h", "1w", "999999999d"])
def test_refused_durations(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidTimeError, match="duration"):
        parse_duration(text)


def test_intervals_align_to_the_epoch() -> None:
    """Interval n of five minutes starts n times five minutes after the epoch and excludes its end."""
    length = parse_duration("5m")
    interval = aligned_interval(parse_time("2026-03-01T00:07:00Z") // length, length)
    assert (format_time(interval.start), format_time(interval.end)) == ("2026-03-01T00:05:00Z", "2026-03-01T00:10:00Z")


def test_an_interval_ends_after_its_start() -> None:
    """An empty interval is refused."""
    with pytest.raises(InvalidTimeError, match="not after"):
        Interval(Nanoseconds(5), Nanoseconds(5))
