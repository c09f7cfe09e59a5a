"""Times on the command line: what each spelling means, in the zone of the machine and in others."""

import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
import rich_click as click

from venturi.cli.times import read_span, read_time, read_zone
from venturi.core.domain.errors import InvalidTimeError
from venturi.core.domain.interval import Nanoseconds, format_time, parse_time
from venturi.main import run

NOW = parse_time("2026-03-29T22:30:15Z")
"""In Berlin it is the day after, half past midnight."""

SPELLINGS = [
    ("now", "UTC", "2026-03-29T22:30:15Z"),
    ("2h", "UTC", "2026-03-29T20:30:15Z"),
    ("7d", "Europe/Berlin", "2026-03-22T22:30:15Z"),
    ("today", "UTC", "2026-03-29T00:00:00Z"),
    ("today", "Europe/Berlin", "2026-03-29T22:00:00Z"),
    ("yesterday", "Europe/Berlin", "2026-03-28T23:00:00Z"),
    ("2026-11-29", "UTC", "2026-11-29T00:00:00Z"),
    ("2026-11-29", "America/New_York", "2026-11-29T05:00:00Z"),
    ("2026-11-29 09:00", "Europe/Berlin", "2026-11-29T08:00:00Z"),
    ("2026-11-29T09:00:30", "Europe/Berlin", "2026-11-29T08:00:30Z"),
    ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
    ("2026-11-29T09:00:00Z", "Europe/Berlin", "2026-11-29T09:00:00Z"),
    ("2026-11-29 09:00:00+02:00", "Europe/Berlin", "2026-11-29T07:00:00Z"),
]


@pytest.mark.parametrize(("text", "zone", "meant"), SPELLINGS, ids=[f"{text} in {zone}" for text, zone, _ in SPELLINGS])
def test_what_a_time_means(text: str, zone: str, meant: str) -> None:
    assert format_time(read_time(text, ZoneInfo(zone), NOW)) == meant


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of the machine is that of Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_without_a_zone_that_of_the_machine_holds() -> None:
    for text, zone, meant in SPELLINGS:
        if zone == "Europe/Berlin":
            assert format_time(read_time(text, None, NOW)) == meant, text


NO_TIMES = ["", "tomorrow", "2026-13-01", "2026-11-29 25:00", "2026-11-29 9:00", "0h", "9999999999d", "\u0663h"]


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidTimeError, match="such as"):
        read_time(text, ZoneInfo("UTC"), NOW)


SPANS = [
    ("the last hour", (None, None), "1h", ("2026-03-29T21:30:15Z", "2026-03-29T22:30:15Z")),
    ("from yesterday on", ("yesterday", None), None, ("2026-03-28T00:00:00Z", None)),
    ("yesterday", ("yesterday", "today"), None, ("2026-03-28T00:00:00Z", "2026-03-29T00:00:00Z")),
    ("nothing said", (None, None), None, (None, None)),
]


@pytest.mark.parametrize(("name", "bounds", "last", "meant"), SPANS, ids=[case[0] for case in SPANS])
def test_from_when_to_when(
    name: str, bounds: tuple[str | None, str | None], last: str | None, meant: tuple[str | None, str | None]
) -> None:
    span = read_span(bounds, last, ZoneInfo("UTC"), NOW)
    assert tuple(None if each is None else format_time(each) for each in span) == meant, name


def test_a_last_time_goes_with_no_bound() -> None:
    with pytest.raises(click.UsageError, match="neither --from nor --to"):
        read_span(("today", None), "1h", None, Nanoseconds(NOW))


REFUSED = [
    (("--from", "tomorrow"), "Invalid value for --from: 'tomorrow' is not a time such as 2h"),
    (("--last", "soon"), "Invalid value for --last: 'soon' is not a duration"),
    (("--zone", "Mars/Olympus"), "'Mars/Olympus' is no time zone"),
    (("--zone", "../etc/passwd"), "is no time zone"),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSED, ids=[" ".join(options) for options, _ in REFUSED])
def test_what_is_wrong_is_said_before_a_server_is_asked(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    assert run(["usage", "--url", "http://127.0.0.1:1", *options]) == 2
    assert sentence in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_a_zone_is_found_by_its_name() -> None:
    assert read_zone(None) is None
    assert str(read_zone("Europe/Berlin")) == "Europe/Berlin"


HELP = [(("label", "create"), ("label", "create", "--help")), ((), ("--help",)), (("db",), ("db", "-h")), (("usage",), ("usage", "-h"))]


@pytest.mark.parametrize(("words", "arguments"), HELP, ids=[" ".join(words) for words, _ in HELP])
def test_help_is_that_of_the_command(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    assert run(["help", *words]) == 0
    helped = capsys.readouterr().out.split()
    assert run(list(arguments)) == 0
    assert helped == capsys.readouterr().out.split() != []


def test_help_of_what_is_no_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "label", "paint"]) == 2
    assert "there is no command 'venturi label paint'" in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_the_version_is_said_by_a_command_and_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == 0
    said = capsys.readouterr().out
    assert run(["--version"]) == 0
    assert said == capsys.readouterr().out
