"""Charts as SVG, which browsers draw without any script.

Owns geometry and the marks of coverage. A plot is as wide as its place: lines and areas lie in a coordinate system that is stretched,
texts do not. Where a value is None nothing is drawn, since nothing is known. Looks are for the style sheet, which has a class for each
mark.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from math import floor, log10
from typing import NamedTuple

from markupsafe import Markup

from venturi.core.domain.coverage import Coverage
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import DAY, HOUR
from venturi.core.ledger.calendar import Calendar
from venturi.interfaces.web.spelling import spell_clock, spell_rate

PENDING = "pending"
"""The word for an interval that is under way, and lacks nothing but its end."""

ABSENT = "no point"
"""The word for a time in which there was no point yet."""

WIDTH = 1_000
HEIGHT = 230
_LEFT = 78
_ABOVE = 8
_TICKS = 4
_NEAR_EDGE = 0.02
_STEPS = (1, 2, 5, 10)
_CLOCK_STEPS = (HOUR // 4, HOUR // 2, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 28 * DAY)
_MOST_CLOCK_TICKS = 9


STYLES = (Coverage.GAP.value, Coverage.PARTIAL.value, Coverage.INTERPOLATED.value, PENDING, ABSENT, Coverage.COMPLETE.value)
"""The words for what is known, the worst first."""


class Series(NamedTuple):
    """A line or area: its name, its class in the style sheet, and its values in octets a second, None where nothing is known."""

    name: str
    style: str
    values: Sequence[float | None]


class Cell(NamedTuple):
    """What is known of an interval of a chart, ``reasons`` in words; ``style`` is its word, and its class in the style sheet."""

    start: int
    end: int
    style: str
    reasons: Sequence[str] = ()


class Axis(NamedTuple):
    """The time of a chart, by the starts of its intervals and the end of the last one, in a zone."""

    borders: Sequence[int]
    calendar: Calendar

    def place(self, time: int) -> float:
        """Give where a time lies, from 0 to 1."""
        first, last = self.borders[0], self.borders[-1]
        return (time - first) / (last - first)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Give the places of a few full hours or days, and what clocks show then."""
        first, last = self.borders[0], self.borders[-1]
        step = next((step for step in _CLOCK_STEPS if (last - first) / step <= _MOST_CLOCK_TICKS), _CLOCK_STEPS[-1])
        clock = self.calendar.clock(first)
        offset = clock.utcoffset()
        ahead = int(offset.total_seconds()) * SECOND if offset else 0
        time = -(-(first + ahead) // step) * step - ahead
        while time <= last:
            place = self.place(time)
            if _NEAR_EDGE <= place <= 1 - _NEAR_EDGE:
                yield place, spell_clock(time, self.calendar, "%-d %b" if step >= DAY else "%H:%M")
            time += step


def stack(axis: Axis, series: Sequence[Series], notes: Sequence[str] = ()) -> Markup:
    """Draw areas on top of each other, the first at the bottom; together they must be of each packet once.

    ``notes`` are shown of each interval on which a pointer rests.
    """
    bottoms: list[float | None] = [0.0] * (len(axis.borders) - 1)
    layers: list[tuple[Series, list[float | None], list[float | None]]] = []
    for each in series:
        tops = [None if value is None or bottom is None else bottom + value for value, bottom in zip(each.values, bottoms, strict=True)]
        layers.append((each, bottoms, tops))
        bottoms = tops
    scale = _Scale(max((top for top in bottoms if top is not None), default=0.0))
    areas = [_area(each, axis, scale, lower, upper) for each, lower, upper in layers]
    return _plot(axis, scale, areas, notes)


def mirror(axis: Axis, upwards: Sequence[Series], downwards: Sequence[Series], notes: Sequence[str] = ()) -> Markup:
    """Draw some values upwards and others downwards from one line; the first of each side is filled. ``notes`` as in ``stack``."""
    highest = max((value for each in upwards for value in each.values if value is not None), default=0.0)
    lowest = max((value for each in downwards for value in each.values if value is not None), default=0.0)
    scale = _Scale(highest, lowest)
    nothing: list[float | None] = [0.0] * (len(axis.borders) - 1)
    drawn = []
    for side, sign in ((upwards, 1), (downwards, -1)):
        for place, each in enumerate(side):
            values = [None if value is None else sign * value for value in each.values]
            if place == 0:
                drawn.append(_area(each, axis, scale, nothing, values))
            drawn.append(_line(each, axis, scale, values))
    return _plot(axis, scale, drawn, notes)


def lines(axis: Axis, series: Sequence[Series], notes: Sequence[str] = ()) -> Markup:
    """Draw lines; they may be of the same packets. ``notes`` as in ``stack``."""
    scale = _Scale(max((value for each in series for value in each.values if value is not None), default=0.0))
    return _plot(axis, scale, [_line(each, axis, scale, each.values) for each in series], notes)


def strip(axis: Axis, cells: Sequence[Cell]) -> Markup:
    """Draw what is known of a chart's time, below it: a pattern for each state, which a word beside it names."""
    parts = []
    for _, same in groupby(cells, key=lambda cell: (cell.style, tuple(cell.reasons))):
        run = list(same)
        start, end = axis.place(run[0].start) * WIDTH, axis.place(run[-1].end) * WIDTH
        form = "%-d %b %H:%M"
        times = f"{spell_clock(run[0].start, axis.calendar, form)} – {spell_clock(run[-1].end, axis.calendar, form)}"
        reasons = ", ".join(reason.replace("_", " ") for reason in run[0].reasons)
        words = f"{run[0].style}{f' ({reasons})' if reasons else ''}: {times}"
        parts.append(
            Markup('<rect class="{}" x="{:.2f}" y="0" width="{:.2f}" height="10"><title>{}</title></rect>').format(
                run[0].style.replace(" ", "-"), start, max(end - start, 0.5), words
            )
        )
    return Markup(
        '<div class="chart"><svg class="strip below" width="100%" height="10" viewBox="0 0 {} 10" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">{}</svg></div>'
    ).format(WIDTH, describe(cells, axis.calendar), Markup("").join(parts))


def describe(cells: Sequence[Cell], calendar: Calendar) -> str:
    """Say in words what is known of a time, the worst first."""
    counted = {style: [cell for cell in cells if cell.style == style] for style in STYLES}
    said = [
        f"{style} in {len(some)} of {len(cells)} intervals, first at {spell_clock(some[0].start, calendar)}"
        for style, some in counted.items()
        if some and style != Coverage.COMPLETE
    ]
    return f"What is known: {'; '.join(said) or 'all of it'}"


def bar(share: float, style: str) -> Markup:
    """Draw a share, from 0 to 1, as a bar."""
    return Markup(
        '<svg class="bar" width="100%" height="7" viewBox="0 0 100 7" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="whole" width="100" height="7"/><rect class="{}" width="{:.2f}" height="7"/></svg>'
    ).format(style, 100 * max(0.0, min(1.0, share)))


class _Scale:
    """The vertical axis, with a line at some round values; values go up from 0, and down to ``lowest``."""

    def __init__(self, highest: float, lowest: float = 0.0) -> None:
        bits = 8.0
        rough = max((highest + lowest) * bits / _TICKS, 1.0)
        magnitude = 10.0 ** floor(log10(rough))
        self._step = next(step for step in _STEPS if step * magnitude >= rough) * magnitude / bits
        self._above = max(1, -int(-highest * 1.02 // self._step))
        self._below = -int(-lowest * 1.02 // self._step) if lowest else 0

    def place(self, value: float) -> float:
        """Give how far below the top a value lies."""
        return HEIGHT * (self._above - value / self._step) / (self._above + self._below)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Give places and what stands there."""
        for number in range(-self._below, self._above + 1):
            value = number * self._step
            yield self.place(value), spell_rate(abs(value)) if number else "0"


def _plot(axis: Axis, scale: _Scale, drawn: Sequence[Markup], notes: Sequence[str]) -> Markup:
    grid = Markup("").join(
        Markup('<path class="{}" d="M0 {:.1f}H{}"/>').format("zero" if text == "0" else "tick", place, WIDTH)
        for place, text in scale.ticks()
    )
    beside = Markup("").join(
        Markup('<text class="value" x="{}" y="{:.1f}">{}</text>').format(_LEFT - 8, _ABOVE + place + 4, text)
        for place, text in scale.ticks()
    )
    below = Markup("").join(
        Markup('<text class="clock" x="{:.2f}%" y="14">{}</text>').format(100 * place, text) for place, text in axis.ticks()
    )
    places = [axis.place(border) * WIDTH for border in axis.borders]
    spots = Markup("").join(
        Markup('<rect class="spot" x="{:.1f}" width="{:.1f}" height="{}"><title>{}</title></rect>').format(start, end - start, HEIGHT, note)
        for (start, end), note in zip(pairwise(places), notes, strict=False)
    )
    return Markup(
        '<div class="chart" aria-hidden="true"><svg width="{left}" height="{tall}">{beside}</svg>'
        '<svg class="plot" width="100%" height="{height}" viewBox="0 0 {width} {height}" preserveAspectRatio="none">{grid}{drawn}'
        "{spots}</svg>"
        '<svg class="below" width="100%" height="20">{below}</svg></div>'
    ).format(
        left=_LEFT,
        tall=HEIGHT + 2 * _ABOVE,
        beside=beside,
        height=HEIGHT,
        width=WIDTH,
        grid=grid,
        drawn=Markup("").join(drawn),
        spots=spots,
        below=below,
    )


def _line(series: Series, axis: Axis, scale: _Scale, values: Sequence[float | None]) -> Markup:
    path = "".join(f"M{'L'.join(f'{x:.1f} {scale.place(value):.1f}' for x, value, _ in run)}" for run in _runs(axis, values, values))
    return Markup('<path class="line {}" d="{}"/>').format(series.style, path)


def _area(series: Series, axis: Axis, scale: _Scale, lower: Sequence[float | None], upper: Sequence[float | None]) -> Markup:
    path = ""
    for run in _runs(axis, upper, lower):
        there = "L".join(f"{x:.1f} {scale.place(top):.1f}" for x, top, _ in run)
        back = "L".join(f"{x:.1f} {scale.place(bottom):.1f}" for x, _, bottom in reversed(run))
        path += f"M{there}L{back}Z"
    return Markup('<path class="area {}" d="{}"><title>{}</title></path>').format(series.style, path, series.name)


def _runs(axis: Axis, upper: Sequence[float | None], lower: Sequence[float | None]) -> Iterator[list[tuple[float, float, float]]]:
    """Give the stretches of which all is known: places with their values; each interval is as wide as it lasts."""
    run: list[tuple[float, float, float]] = []
    for place, (top, bottom) in enumerate(zip(upper, lower, strict=True)):
        if top is None or bottom is None:
            if run:
                yield run
            run = []
            continue
        start, end = (axis.place(axis.borders[border]) * WIDTH for border in (place, place + 1))
        run += [(start, top, bottom), (end, top, bottom)]
    if run:
        yield run
