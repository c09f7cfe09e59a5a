"""Times and half-open intervals of time, UTC, in nanoseconds since the epoch.

Owns their spelling (RFC 3339) and the alignment of intervals to the epoch. Reads no clock.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NewType

from venturi.core.domain.errors import InvalidTimeError

Nanoseconds = NewType("Nanoseconds", int)
"""A time since the UTC epoch, or a duration."""

SECOND = 1_000_000_000
"""Nanoseconds in a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,8})(?P<unit>s|m|h|d)")
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86400 * SECOND}
_LATEST = 1 << 62
_RFC3339 = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<offset>[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, order=True)
class Interval:
    """From ``start``, included, to ``end``, excluded, in nanoseconds since the UTC epoch."""

    start: Nanoseconds
    end: Nanoseconds

    def __post_init__(self) -> None:
        """Refuse an interval that does not end after its start with ``InvalidTimeError``."""
        if self.end <= self.start:
            message = f"an interval ends after its start, but {format_time(self.end)} is not after {format_time(self.start)}"
            raise InvalidTimeError(message)


def aligned_interval(index: int, length: Nanoseconds) -> Interval:
    """Give interval number ``index`` of those of ``length`` that tile time from the UTC epoch on."""
    return Interval(Nanoseconds(index * length), Nanoseconds((index + 1) * length))


def parse_duration(text: str) -> Nanoseconds:
    """Read a whole number of seconds, minutes, hours or days (``30s``, ``5m``, ``1h``, ``1d``); else ``InvalidTimeError``."""
    found = _DURATION.fullmatch(text)
    if found is None or int(found["count"]) * _UNITS[found["unit"]] > _LATEST:
        message = f"'{text}' is not a duration such as 30s, 5m, 1h or 1d"
        raise InvalidTimeError(message)
    return Nanoseconds(int(found["count"]) * _UNITS[found["unit"]])


def parse_time(text: str) -> Nanoseconds:
    """Read an RFC 3339 time with its offset, or a date that stands for its midnight UTC; else ``InvalidTimeError``."""
    message = f"'{text}' is not an RFC 3339 time such as 2026-03-01T00:00:00Z"
    found = _RFC3339.fullmatch(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    if found is None:
        raise InvalidTimeError(message)
    try:
        moment = datetime.fromisoformat(found["seconds"].replace("t", "T") + found["offset"].replace("z", "Z"))
    except ValueError as error:
        raise InvalidTimeError(message) from error
    whole_seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return Nanoseconds(whole_seconds * SECOND + int((found["fraction"] or "").ljust(9, "0")))


def format_time(time: int) -> str:
    """Spell a time in RFC 3339, UTC, with as many fractional digits as it needs."""
    seconds, nanoseconds = divmod(time, SECOND)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return f"@{seconds}s"
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
