"""The table of a report of usage: what is said of an interval under way, and what is coloured."""

from io import StringIO

import pytest

from venturi.interfaces.render.quantities import Units
from venturi.interfaces.render.usage.rows import report_rows
from venturi.interfaces.render.usage.table import write_report_table

RED = "\x1b[31m"


class Terminal(StringIO):
    """A text stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def table(
    stream: StringIO,
    coverage: str,
    reasons: list[str],
    known: int,
    *,
    read_at: str | None = "2026-03-01T12:30:00Z",
    times: tuple[int, int] | None = None,
    coloured: bool = True,
) -> str:
    """Write the table of one interval, from 12:00 to 13:00, with the point-seconds ``times``, and give its only row."""
    told: dict[str, object] = {"coverage": coverage, "reasons": reasons, "known_seconds": known, "segments": "wire"}
    told |= {} if times is None else {"known_point_seconds": times[0], "expected_point_seconds": times[1]}
    row = {"label_id": "1", "label_name": "web", "direction": "egress", "packets": 1, "octets": 60, **told}
    interval = {"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T13:00:00Z", **told, "observation_points": 1, "usage": [row]}
    report: dict[str, object] = {"resolution": "1h", "group_by": ["label"], "intervals": [interval]}
    report |= {} if read_at is None else {"read_at": read_at}
    write_report_table(report, list(report_rows(report)), Units.SI, stream, coloured=coloured)
    return stream.getvalue().splitlines()[2]


UNDER_WAY = [
    ("only the rest is to come", "partial", ["pending"], 1740, "so far"),
    ("nothing is to come", "complete", [], 1800, "so far"),
    ("something is lost", "gap", ["bypass", "pending"], 900, "gap: bypass, so far; 50.0 % known"),
    ("nothing came", "gap", ["missing"], 0, "gap: missing, so far; nothing known"),
]


@pytest.mark.parametrize(("name", "coverage", "reasons", "known", "words"), UNDER_WAY, ids=[case[0] for case in UNDER_WAY])
def test_the_interval_under_way_is_so_far(name: str, coverage: str, reasons: list[str], known: int, words: str) -> None:
    assert table(StringIO(), coverage, reasons, known).endswith(f"  {words}"), name


OVER = [("over", "2026-03-01T13:00:00Z"), ("an earlier server does not say", None)]


@pytest.mark.parametrize(("name", "read_at"), OVER, ids=[case[0] for case in OVER])
def test_another_is_not(name: str, read_at: str | None) -> None:
    assert table(StringIO(), "partial", ["pending"], 1800, read_at=read_at).endswith("partial: pending; 50.0 % known"), name


KNOWN = [
    ("all of it", (7200, 7200), "complete"),
    ("of two points, one half of the time", (5400, 7200), "complete; 75.0 % known"),
    ("of a point that was created in it", (600, 600), "complete"),
    ("all but a trace", (7199, 7200), "complete; >99.9 % known"),
    ("all but 4 s", (7196, 7200), "complete; 99.9 % known"),
    ("a trace", (1, 7200), "complete; <0.1 % known"),
    ("nothing", (0, 7200), "complete; nothing known"),
]


@pytest.mark.parametrize(("name", "times", "words"), KNOWN, ids=[case[0] for case in KNOWN])
def test_known_time_is_a_share_of_that_at_the_points(name: str, times: tuple[int, int], words: str) -> None:
    assert table(StringIO(), "complete", [], 0, read_at="2026-03-01T13:00:00Z", times=times).endswith(f"  {words}"), name


COLOURED = [
    ("complete", "complete", [], False),
    ("over a longer time", "interpolated", [], False),
    ("to come", "partial", ["pending"], False),
    ("passed uncounted", "partial", ["bypass"], True),
    ("not known", "gap", ["missing", "pending"], True),
]


@pytest.mark.parametrize(("name", "coverage", "reasons", "red"), COLOURED, ids=[case[0] for case in COLOURED])
def test_only_loss_is_red(name: str, coverage: str, reasons: list[str], red: bool) -> None:
    line = table(Terminal(), coverage, reasons, 1800)
    assert (RED in line) == red, name
    assert line.split(RED)[0].count(coverage) == (not red and coverage in line)
    assert RED not in table(StringIO(), coverage, reasons, 1800)
    assert RED not in table(Terminal(), coverage, reasons, 1800, coloured=False)
