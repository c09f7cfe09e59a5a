"""Charts: what is drawn, and that each form of file holds it."""

import gzip
import json
import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.render.reports import MAIL, WEB, over_time, usage, whole
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import UnknownFormatError
from venturi.core.domain.label import MeteringLabel
from venturi.interfaces.render import chart_files
from venturi.interfaces.render.chart import MAXIMUM_SERIES, chart_format, chart_specification
from venturi.interfaces.render.chart_files import draw_chart


def values(specification: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the rows that a chart draws."""
    rows: list[dict[str, Any]] = specification["data"]["values"]
    return rows


def test_rates_are_means_of_the_interval_stacked_by_direction() -> None:
    rows = values(chart_specification(over_time()))
    assert [(row["label"], row["direction"], row["rate_from"], row["rate_to"], row["octets"]) for row in rows] == [
        ("web", "ingress", 0, 100_000, 3_750_000),
        ("web", "ingress", 0, 200_000, 7_500_000),
        (MAIL.name, "ingress", 100_000, 110_000, 375_000),
        (MAIL.name, "egress", 0, 1_000, 37_500),
    ]
    assert [row["end"] - row["start"] for row in rows] == [300_000] * 4


def test_labels_that_overlap_stand_side_by_side() -> None:
    once = Counts(1_166_249, 11_662_490)
    apart = over_time()
    overlapping = replace(apart, projects=(replace(apart.projects[0], alone=once),))
    for report, mark, bounds in ((apart, "rect", {"y2"}), (overlapping, "rule", set())):
        specification: dict[str, Any] = chart_specification(report)
        assert specification["spec"]["mark"]["type"] == mark
        assert {"y2"} & set(specification["spec"]["encoding"]) == bounds
        assert ("labels overlap, so they are not stacked" in specification["title"]["subtitle"]) == (report is overlapping)


def test_without_intervals_there_is_a_bar_for_each_label_and_direction() -> None:
    specification = chart_specification(whole())
    assert next((row["label"], row["direction"], row["octets"]) for row in values(specification)) == ("web", "ingress", 5_000_000)
    assert specification["mark"] == {"type": "bar", "cornerRadiusEnd": 2}


def test_labels_beyond_the_palette_are_one_series() -> None:
    labels = [MeteringLabel(id=str(number), name=f"label {number}") for number in range(MAXIMUM_SERIES + 5)]
    many = replace(over_time(), usage=tuple(usage(label, Direction.EGRESS, 1000, 0) for label in labels))
    names = [row["label"] for row in values(chart_specification(many))]
    assert (len(names), names[-1]) == (MAXIMUM_SERIES + 1, "other")


def test_labels_of_one_name_are_told_apart() -> None:
    twin = replace(WEB, id=MAIL.id, project_id="other project")
    twins = replace(whole(), usage=(usage(WEB, Direction.EGRESS, 2), usage(twin, Direction.EGRESS, 1)))
    assert {row["label"] for row in values(chart_specification(twins))} == {"web (acme)", "web (other project)"}


def test_an_empty_report_can_be_drawn() -> None:
    for report in (whole(), over_time()):
        assert draw_chart(chart_specification(replace(report, usage=())), ".svg").startswith(b"<svg")


@pytest.mark.parametrize("report", [whole(), over_time()], ids=["bars", "series"])
def test_svg_shows_labels_title_and_axes(report: Any) -> None:  # noqa: ANN401 - a parameter of the table
    drawing = draw_chart(chart_specification(report), ".svg").decode()
    shown = ">".join(re.findall(r"<text[^>]*>([^<]*)", drawing))
    assert "Traffic by metering label" in shown
    assert "web" in shown
    assert ("mean rate over 5 min" in shown) == (report.interval is not None)
    assert ("200 kbit/s" in shown) == (report.interval is not None)


def test_png_has_two_pixels_per_unit() -> None:
    specification = chart_specification(over_time())
    drawing = draw_chart(specification, ".png")
    width, height = struct.unpack(">II", drawing[16:24])
    svg = draw_chart(specification, ".svg").decode()
    stated = re.search(r'width="([0-9.]+)" height="([0-9.]+)"', svg)
    assert drawing.startswith(b"\x89PNG")
    assert stated is not None
    assert (width, height) == (round(float(stated[1]) * 2), round(float(stated[2]) * 2))


def test_html_needs_no_network_and_no_name_ends_its_script() -> None:
    hostile = replace(over_time(), usage=(usage(replace(WEB, name="</script><script>alert(1)"), Direction.EGRESS, 37_500, 0),))
    page = draw_chart(chart_specification(hostile), ".html").decode()
    held = re.search(r'<script type="application/json" id="specification">(.*?)</script>', page, re.DOTALL)
    assert held is not None
    assert values(json.loads(held[1]))[0]["label"] == "</script><script>alert(1)"
    assert "</script><script>alert" not in page
    assert re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page.split("<script", 1)[0]) == []
    assert page.count("<script") - page.count('"<script') >= 2
    assert not re.search(r'<script[^>]+src="http|<link[^>]+href="http|@import', page)


@pytest.mark.parametrize(("name", "ending"), [("a.html", ".html"), ("b.PNG", ".png"), ("folder.x/c.svg", ".svg")])
def test_the_ending_chooses_the_form(name: str, ending: str) -> None:
    assert chart_format(name) == ending


def test_other_endings_are_refused() -> None:
    with pytest.raises(UnknownFormatError, match=r"^usage\.pdf: a chart is written as \.html, \.png or \.svg$"):
        chart_format("usage.pdf")


def test_a_page_is_the_same_with_the_engine_that_the_package_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_files, "PACKED_ENGINE", tmp_path / "engine.js.gz")
    page = draw_chart(chart_specification(whole()), ".html")
    assert not chart_files.is_engine_packed()
    assert chart_files.pack_engine().is_relative_to(tmp_path)
    assert chart_files.is_engine_packed()
    assert draw_chart(chart_specification(whole()), ".html") == page
    chart_files.PACKED_ENGINE.write_bytes(gzip.compress(b"// Vega-Lite 4, of another program\nold"))
    assert not chart_files.is_engine_packed()
    assert draw_chart(chart_specification(whole()), ".html") == page
