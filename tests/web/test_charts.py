"""Charts: what is drawn is what was counted, and nothing is drawn where nothing is known."""

import re

import pytest
from markupsafe import Markup

from tests.web.browsing import DAY
from tests.web.conftest import Site
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import BIN, HOUR
from venturi.core.ledger.calendar import Calendar
from venturi.interfaces.web.charts import Axis, Cell, Series, bar, describe, lines, mirror, stack, strip

UNITS = {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
TEXT_BELOW = 12
"""How much lower the text of a tick stands than its line."""

AXIS = Axis([number * BIN for number in range(7)], Calendar())


def read_scale(chart: str) -> tuple[float, float]:
    """Give where 0 lies in a chart, and how many bits a second one step of its coordinates stands for."""
    ticks = re.findall(r'<text class="value" x="[^"]*" y="([0-9.]+)">([^<]+)</text>', chart)
    places = [(float(y) - TEXT_BELOW, text) for y, text in ticks]
    zero = next(y for y, text in places if text == "0")
    y, text = next((y, text) for y, text in places if text != "0")
    number, unit = text.split(" ")
    return zero, float(number) * UNITS[unit] / abs(zero - y)


def read_tops(chart: str, style: str) -> list[tuple[float, float]]:
    """Give the first points of each stretch of an area or line, which run along its values: place and bits a second."""
    zero, unit = read_scale(chart)
    (path,) = re.findall(rf'<path class="(?:area|line) {style}" d="([^"]*)"', chart)
    found: list[tuple[float, float]] = []
    for stretch in path.split("M")[1:]:
        points = [tuple(map(float, point.split())) for point in stretch.rstrip("Z").split("L")]
        half = points[: len(points) // 2] if stretch.endswith("Z") else points
        found += [(x, (zero - y) * unit) for x, y in half]
    return found


def test_layers_of_a_stack_add_up() -> None:
    below: list[float | None] = [100.0, 200.0, None, 0.0, 50.0, 10.0]
    above: list[float | None] = [25.0, 0.0, 10.0, 100.0, 50.0, None]
    chart = stack(AXIS, [Series("a", "s1", below), Series("b", "s2", above)])
    tops = read_tops(chart, "s2")[::2]
    expected = [(one + other) * 8 for one, other in zip(below, above, strict=True) if one is not None and other is not None]
    assert [round(top, -1) for _, top in tops] == pytest.approx(expected, abs=10)


def test_nothing_is_drawn_where_nothing_is_known() -> None:
    chart = lines(AXIS, [Series("a", "s1", [1.0, None, None, 2.0, 3.0, None])])
    places = [round(x) for x, _ in read_tops(chart, "s1")]
    assert places == [0, 167, 500, 667, 667, 833]
    assert 'd=""' in lines(AXIS, [Series("a", "s1", [None] * 6)])


def test_in_is_drawn_upwards_and_out_downwards() -> None:
    values = [10.0, 20.0, 30.0, 10.0, 20.0, 30.0]
    chart = mirror(AXIS, [Series("in", "ingress", values)], [Series("out", "egress", values)])
    line = re.sub(r'<path class="area[^>]*>.*?</path>', "", chart)
    assert [round(top) for _, top in read_tops(line, "ingress")[::2]] == pytest.approx([8 * value for value in values], abs=2)
    assert [round(top) for _, top in read_tops(line, "egress")[::2]] == pytest.approx([-8 * value for value in values], abs=2)


@pytest.mark.parametrize("most", [0.0, 0.01, 1.0, 12.3, 999.9, 1e6, 3.21e9, 1e15])
def test_a_scale_holds_all_values_and_has_few_round_ticks(most: float) -> None:
    chart = lines(AXIS, [Series("a", "s1", [most] * 6)])
    ticks = re.findall(r'<text class="value"[^>]*>([^<]+)</text>', chart)
    assert 2 <= len(ticks) <= 7
    assert all(0 <= float(y) <= 230 for y in re.findall(r"[ML][0-9.]+ (-?[0-9.]+)", chart))


@pytest.mark.parametrize("hours", [1, 6, 24, 72, 24 * 7, 24 * 31, 24 * 366])
def test_clocks_stand_at_full_hours_and_days_of_the_zone(hours: int) -> None:
    start = 1_774_000_000 * SECOND // HOUR * HOUR
    axis = Axis([start, start + hours * HOUR], Calendar("Asia/Kathmandu"))
    ticks = list(axis.ticks())
    assert 1 <= len(ticks) <= 14
    assert all(0 <= place <= 1 for place, _ in ticks)
    if hours <= 72:
        assert all(text.endswith((":00", ":15", ":30", ":45")) or " " in text for _, text in ticks)


def test_a_strip_says_what_is_known_in_words() -> None:
    cells = [Cell(0, BIN, "complete"), Cell(BIN, 2 * BIN, "gap", ["device_gone"]), Cell(2 * BIN, 3 * BIN, "gap", ["device_gone"])]
    cells += [Cell(3 * BIN, 4 * BIN, "partial", ["bypass"]), Cell(4 * BIN, 5 * BIN, "pending"), Cell(5 * BIN, 6 * BIN, "no point")]
    drawn = strip(AXIS, cells)
    assert re.findall(r'<rect class="([^"]*)"', drawn) == ["complete", "gap", "partial", "pending", "no-point"]
    assert "<title>gap (device gone): 1 Jan 00:05 – 1 Jan 00:15</title>" in drawn
    assert describe(cells, AXIS.calendar).startswith("What is known: gap in 2 of 6 intervals, first at 1 Jan 1970 00:05; partial in 1 of 6")
    assert describe(cells[:1], AXIS.calendar) == "What is known: all of it"
    assert {state.value for state in Coverage} <= {"complete", "gap", "partial", "interpolated"}


@pytest.mark.parametrize(("share", "width"), [(0.5, "50.00"), (2.0, "100.00"), (-1.0, "0.00")])
def test_a_bar_is_no_longer_than_its_place(share: float, width: str) -> None:
    assert f'width="{width}"' in bar(share, "s1")


def test_a_pointer_that_rests_on_an_interval_is_told_of_it(site: Site) -> None:
    page = site.browser("admin").load(f"/dashboard?period={DAY}").data.decode()
    assert "<title>1 Jan 00:05–00:10: in 169.33 bit/s, out 8.07 kbit/s, complete</title>".replace("169.33", "169") in page
    assert "<title>1 Jan 00:30–00:35: in –, out –, gap</title>" in page
    assert page.count('<rect class="spot"') == 288


def test_names_in_charts_are_texts() -> None:
    assert "<script>" not in stack(AXIS, [Series("<script>", "s1", [1.0] * 6)])
    assert isinstance(stack(AXIS, []), Markup)


def test_the_chart_of_the_overview_is_of_what_the_points_counted(site: Site) -> None:
    query = f"period={DAY}&group_by=direction&resolution=5m"
    report = site.server.request("GET", f"/v1/usage/points?{query}", headers={"X-Auth-Token": site.tokens["admin"]}).json()
    page = site.browser("admin").load(f"/dashboard?period={DAY}").data.decode()
    chart = page[page.index('<div class="chart"') : page.index("strip")]
    layers = re.findall(r'<path class="area ([a-z0-9]+)"', chart)
    sums = [row["octets"] for interval in report["intervals"] for row in interval["usage"] if row["direction"] == "egress"]
    assert len(sums) == 6
    tops = [top for _, top in read_tops(chart, layers[-1])[::2]]
    assert tops == pytest.approx([octets * 8 / 300 for octets in sums], rel=0.01)
