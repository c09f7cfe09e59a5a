"""The table of a report of usage: what is said of an interval under way, and what is coloured."""

from io import StringIO

import pytest

from venturi.core.domain.errors import InvalidRequestError
from venturi.interfaces.render.quantities import Units
from venturi.interfaces.render.usage.charting import drawable
from venturi.interfaces.render.usage.rows import FORECAST, name_others, report_rows, totals_by_boundary
from venturi.interfaces.render.usage.table import spell_comparison, tell_what_is_twice, write_report_table

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


ROWS: list[dict[str, object]] = [
    {"label_name": "web", "direction": "egress", "boundary": "uplinks", "packets": 3, "octets": 300},
    {"label_name": "web", "direction": "ingress", "boundary": "uplinks", "packets": 1, "octets": 100},
    {"label_name": "web", "direction": "egress", "boundary": "routers", "packets": 3, "octets": 300},
]
TOLD: dict[str, object] = {"coverage": "complete", "reasons": [], "known_seconds": 3600, "segments": "wire"}


def bounded(*rows: dict[str, object], points: int = 3) -> dict[str, object]:
    """Make a report of an hour with these rows."""
    bounds: dict[str, object] = {"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T13:00:00Z", "observation_points": points}
    interval = {**bounds, **TOLD, "usage": [{**row, **TOLD} for row in rows]}
    return {"resolution": "total", "group_by": ["label", "direction"], "boundaries": None, "intervals": [interval]}


def lines_of(report: dict[str, object]) -> list[list[str]]:
    """Write the table of a report, and give the cells of its lines."""
    stream = StringIO()
    write_report_table(report, list(report_rows(report)), Units.OCTETS, stream)
    return [line.split() for line in stream.getvalue().splitlines()]


def test_each_boundary_has_its_total_and_its_shares() -> None:
    lines = lines_of(bounded(*ROWS))
    assert lines[0][:3] == ["label", "direction", "boundary"]
    assert [(line[2], line[5]) for line in lines[2:5]] == [("uplinks", "75.0"), ("uplinks", "25.0"), ("routers", "100.0")]
    assert lines[5:] == [["total", "uplinks", "4", "400", "100.0", "%"]]


def test_a_boundary_alone_needs_no_column() -> None:
    lines = lines_of(bounded(*ROWS[:2]))
    assert lines[0][:3] == ["label", "direction", "packets"]
    assert lines[-1] == ["total", "4", "400", "100.0", "%"]


TWICE = [
    ("both directions of several points", bounded(*ROWS), True),
    ("both directions of one point", bounded(*ROWS[:2], points=1), False),
    ("one direction", bounded(*ROWS[:1]), False),
    ("directions that the server has summed", {**bounded(*ROWS[:1]), "directions_summed": True}, True),
    ("points that are boundaries of their own", bounded(*ROWS, points=2), False),
]


@pytest.mark.parametrize(("name", "report", "told"), TWICE, ids=[case[0] for case in TWICE])
def test_what_is_twice_in_a_sum_of_both_directions_is_told(name: str, report: dict[str, object], told: bool) -> None:
    assert bool(tell_what_is_twice(report, list(report_rows(report)))) == told, name


def test_the_total_beside_the_largest_is_that_of_the_table() -> None:
    shown = [{**ROWS[0], "kind": "group"}, {**ROWS[0], "kind": "others", "label_name": None}]
    report = {**bounded(*shown, {**ROWS[0], "kind": "total", "label_name": None, "packets": 90, "octets": 4_000}), "top": 1}
    rows = name_others(report, report_rows(report))
    assert [(row["kind"], row["label_name"]) for row in rows] == [("group", "web"), ("others", "other")]
    stream = StringIO()
    counted = totals_by_boundary(row for row in report_rows(report) if row["kind"] == "total")
    write_report_table(report, rows, Units.BITS, stream, counted=counted)
    heading, _, *_, last = stream.getvalue().splitlines()
    assert (heading.split()[:4], last.split()) == (["label", "direction", "packets", "bits"], ["total", "90", "32.0", "kbit", "100.0", "%"])


COMPARED = [
    ("more than before", {"previous_octets": 200, "percent": 50.0, "comparison": "known"}, ["300", "200", "+50.0 %"]),
    ("less, as far as is known", {"previous_octets": 400, "percent": -25.0, "comparison": "partly_known"}, ["300", "400", "~-25.0 %"]),
    ("nothing before", {"previous_octets": 0, "percent": None, "comparison": "nothing_before"}, ["300", "0", "–"]),
    ("not known", {"previous_octets": None, "percent": None, "comparison": "unknown"}, ["300", "unknown", ""]),
]


@pytest.mark.parametrize(("name", "beside", "cells"), COMPARED, ids=[case[0] for case in COMPARED])
def test_a_comparison_stands_beside_each_figure_and_the_total(name: str, beside: dict[str, object], cells: list[str]) -> None:
    report = {**bounded({**ROWS[0], **beside}), "compared_with": {"start": "2026-02-28T12:00:00Z", "end": "2026-02-28T13:00:00Z"}}
    rows, stream = list(report_rows(report)), StringIO()
    write_report_table(report, rows, Units.OCTETS, stream)
    heading, _, line, *_, total = stream.getvalue().splitlines()
    assert [heading.split()[2:5], line.split("  ")[0]] == [["octets", "before", "change"], "web"]
    for each in (line, total):
        assert " ".join(each.split()).replace("~", "").find(" ".join(filter(None, cells)).replace("~", "")) > 0, name
    assert max(map(len, (heading, line, total))) <= 80
    assert spell_comparison(report, rows)[0] == "before: 2026-02-28 12:00Z to 2026-02-28 13:00Z"
    assert ("~" in line) == (beside["comparison"] == "partly_known")


RATED: dict[str, object] = {"mean_rate": 1_234.5, "minimum_rate": 0, "maximum_rate": 2_000_000, "percentile_rate": 1_500}
RATES = [
    ("all known", {**RATED, "known_samples": 8_928, "missing_samples": 0}, "1.23 k 2.00 M 1.50 k 8,928"),
    ("some missing", {**RATED, "known_samples": 286, "missing_samples": 2}, "1.23 k 2.00 M 1.50 k 286 of 288"),
    ("none known", {**dict.fromkeys(RATED), "known_samples": 0, "missing_samples": 288}, "unknown unknown unknown 0 of 288"),
]


@pytest.mark.parametrize(("name", "beside", "cells"), RATES, ids=[case[0] for case in RATES])
def test_rates_stand_beside_each_figure_but_not_beside_the_total(name: str, beside: dict[str, object], cells: str) -> None:
    report, stream = {**bounded({**ROWS[0], **beside}), "unit": "bit/s", "percentile": "95"}, StringIO()
    write_report_table(report, list(report_rows(report)), Units.OCTETS, stream)
    heading, _, line, *_, total = stream.getvalue().splitlines()
    assert heading.split()[2:8] == ["octets", "mean", "bit/s", "most", "p95", "samples"]
    assert cells in " ".join(line.split()), name
    assert total.split() == ["total", "300"]


FORECASTS = [
    ("a forecast", (900, 700, 1_100, 500), "300 900 700 to 1,100"),
    ("less than a week of data", (None,) * 4, "300 none yet"),
]


@pytest.mark.parametrize(("name", "figures", "cells"), FORECASTS, ids=[case[0] for case in FORECASTS])
def test_a_forecast_stands_beside_each_figure(name: str, figures: tuple[int | None, ...], cells: str) -> None:
    report, stream = bounded({**ROWS[0], **dict(zip(FORECAST, figures, strict=True))}), StringIO()
    write_report_table(report, list(report_rows(report)), Units.OCTETS, stream)
    heading, _, line, *_ = stream.getvalue().splitlines()
    assert heading.split()[2:5] == ["octets", "forecast", "range"]
    assert cells in " ".join(line.split()), name
    assert max(map(len, (heading, line))) <= 80


def test_a_chart_over_time_is_of_one_boundary() -> None:
    report = {**bounded(*ROWS), "resolution": "1h"}
    with pytest.raises(InvalidRequestError, match="name one with --boundary \\(routers, uplinks\\)"):
        drawable(report, list(report_rows(report)))
    one = {**bounded(*ROWS[:2]), "resolution": "1h"}
    assert [record.label.name for record in drawable(one, list(report_rows(one))).usage] == ["web", "web"]
    total = bounded(*ROWS)
    assert {record.label.name for record in drawable(total, list(report_rows(total))).usage} == {"web at uplinks", "web at routers"}
