"""Times as people write them on a command line: ``today``, ``2h``, ``2026-11-29 09:00``, dates, and RFC 3339.

Owns their reading in a zone. Times on the wire are RFC 3339 alone, and are read by ``core.domain.interval``.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import rich_click as click

from venturi.core.domain.errors import InvalidTimeError
from venturi.core.domain.interval import SECOND, Nanoseconds, parse_duration, parse_time

FORMS = "such as 2h (before now), today, yesterday, 2026-11-29, '2026-11-29 09:00' or 2026-11-29T09:00:00Z"
"""The forms of a time, for help and errors."""

_DAYS_BEFORE = {"today": 0, "yesterday": 1}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LOCAL_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ZONE = click.option(
    "--zone", metavar="ZONE", help="The time zone of times that name none, such as Europe/Berlin or UTC; by default that of this machine."
)
"""The option that says in which zone times are."""

LAST = click.option("--last", metavar="DURATION", help="The time until now, such as 1h or 7d, in place of --from and --to.")


def read_time(text: str, zone: tzinfo | None, now: Nanoseconds) -> Nanoseconds:
    """Read a time in ``zone``, None for that of this machine; what begins a day is its midnight there, a duration is before ``now``.

    A time that a clock shows twice is the first of the two (PEP 495). Raises ``InvalidTimeError`` naming the forms that there are.
    """
    if text == "now":
        return now
    if text in _DAYS_BEFORE:
        day = datetime.fromtimestamp(now // SECOND, UTC).astimezone(zone).date() - timedelta(days=_DAYS_BEFORE[text])
        return _in_zone(f"{day.isoformat()}T00:00", zone, text)
    if _DATE.fullmatch(text):
        return _in_zone(f"{text}T00:00", zone, text)
    local = _LOCAL_TIME.fullmatch(text)
    if local:
        return _in_zone(f"{local[1]}T{local[2]}", zone, text)
    if text[-1:] in {"s", "m", "h", "d"} and text[:1].isdecimal():
        return Nanoseconds(now - parse_duration(text))
    try:
        return parse_time(text)
    except InvalidTimeError as error:
        raise _unreadable(text) from error


def read_option(name: str, text: str | None, zone: tzinfo | None, now: Nanoseconds) -> Nanoseconds | None:
    """Read the time of an option that may not be given; raises ``click.BadParameter`` naming the option."""
    return None if text is None else _told_of(name, lambda: read_time(text, zone, now))


def read_zone(text: str | None) -> tzinfo | None:
    """Find a time zone by its name (IANA), None for that of this machine; raises ``click.BadParameter``."""
    if text is None:
        return None
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, LookupError) as error:
        message = f"'{text}' is no time zone: give a name such as Europe/Berlin or UTC."
        raise click.BadParameter(message, param_hint="--zone") from error


def read_span(
    bounds: tuple[str | None, str | None], last: str | None, zone: tzinfo | None, now: Nanoseconds
) -> tuple[Nanoseconds | None, Nanoseconds | None]:
    """Read from when to when: ``--from`` and ``--to``, or the ``--last`` time until now; raises ``click.UsageError``."""
    if last is None:
        return read_option("--from", bounds[0], zone, now), read_option("--to", bounds[1], zone, now)
    if any(bounds):
        message = "--last is the time until now: it goes with neither --from nor --to."
        raise click.UsageError(message)
    return Nanoseconds(now - _told_of("--last", lambda: parse_duration(last))), now


def _told_of(name: str, read: Callable[[], Nanoseconds]) -> Nanoseconds:
    try:
        return read()
    except InvalidTimeError as error:
        message = f"{error}."
        raise click.BadParameter(message, param_hint=name) from error


def _in_zone(spelled: str, zone: tzinfo | None, text: str) -> Nanoseconds:
    try:
        naive = datetime.fromisoformat(spelled)
        moment = naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
        return Nanoseconds((moment - _EPOCH) // timedelta(seconds=1) * SECOND)
    except (ValueError, OverflowError, OSError) as error:
        raise _unreadable(text) from error


def _unreadable(text: str) -> InvalidTimeError:
    message = f"'{text}' is not a time {FORMS}"
    return InvalidTimeError(message)
