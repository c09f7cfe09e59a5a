"""The chart of a meter report, as a Vega-Lite specification.

Owns what is drawn: marks, axes, colours and their data. Drawing it into files belongs to ``chart_files``.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import PurePath

from venturi.core.domain.errors import UnknownFormatError
from venturi.core.domain.interval import SECOND, format_time
from venturi.core.domain.usage import UsageRecord
from venturi.interfaces.render.quantities import format_duration
from venturi.interfaces.render.rows import OTHER, fold_small_labels, labels_by_octets
from venturi.services.offline.report import MeterReport

Specification = dict[str, object]
"""A Vega-Lite specification or a part of one."""

CHART_FORMATS = (".html", ".png", ".svg")
"""The endings of the names of files that a chart can be written to."""

MAXIMUM_SERIES = 9
"""The most labels that a chart tells apart by colour; the others are folded together."""

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a5195", "#b8ac1d", "#3f4c6b")
_OTHER_COLOUR = "#b3b3b3"
_FONT = "Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif"
_INK, _QUIET_INK, _GRID = "#222222", "#666666", "#e6e6e6"
_WIDTH = 820
_SOURCES_NAMED = 3
_NANOSECONDS_PER_MILLISECOND = 1_000_000
_CLOCK_LABEL = "utcFormat(datum.value, utchours(datum.value) + utcminutes(datum.value) == 0 ? '%e %b' : '%H:%M')"
_RATE_LABEL = "datum.value == 0 ? '0' : replace(format(datum.value, '~s'), /([a-zA-Z]?)$/, ' $1bit/s')"
_OCTETS_LABEL = "datum.value == 0 ? '0' : replace(format(datum.value, '~s'), /([a-zA-Z]?)$/, ' $1B')"


def chart_format(name: str) -> str:
    """Give the ending of a chart file's name; raises ``UnknownFormatError`` for one that is not of ``CHART_FORMATS``."""
    ending = PurePath(name).suffix.lower()
    if ending not in CHART_FORMATS:
        message = f"{name}: a chart is written as {', '.join(CHART_FORMATS[:-1])} or {CHART_FORMATS[-1]}"
        raise UnknownFormatError(message)
    return ending


def chart_specification(report: MeterReport, top: int = MAXIMUM_SERIES) -> Specification:
    """Draw mean rates over intervals, or, without intervals, octets by label.

    Rates are stacked, unless that would stack a packet several times (``overlapping``): then they stand side by side. Labels beyond the
    ``top`` largest (at most ``MAXIMUM_SERIES``) are folded into one series; it has a packet that several of them count as often.
    """
    folded = fold_small_labels(replace(report, overlapping=_overlaps(report)), max(1, min(top, MAXIMUM_SERIES)))
    names = _series_names(folded)
    drawing = _bars(folded, names) if folded.interval is None else _series_over_time(folded, names)
    return {
        "$schema": _SCHEMA,
        "background": "white",
        "padding": 20,
        "title": _title(folded),
        "config": _CONFIG,
        "data": {"values": _stacked(folded.usage, names) if folded.interval is not None else [_row(each, names) for each in folded.usage]},
        **drawing,
    }


def _overlaps(report: MeterReport) -> bool:
    """Tell whether the labels of a report count more packets than any label does, each once; estimates are rounded row by row."""
    if not report.sources:
        return report.overlapping
    once = sum(source.several.packets + source.shared.packets for source in report.sources)
    once += sum(project.alone.packets for project in report.projects)
    counted = sum(record.counts.packets for record in report.usage)
    return counted - once > sum(record.estimated for record in report.usage)


_CONFIG: Specification = {
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": _INK,
        "titleColor": _QUIET_INK,
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": _GRID,
        "domainColor": "#999999",
        "tickColor": "#999999",
        "titlePadding": 10,
    },
    "legend": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelColor": _INK,
        "titleColor": _QUIET_INK,
        "labelLimit": 220,
        "symbolType": "square",
    },
    "header": {"labelFontSize": 13, "labelFontWeight": "bold", "labelColor": _INK, "labelAnchor": "start", "title": None},
}


def _series_names(report: MeterReport) -> dict[str, str]:
    """Name each label's series, by id, in the order of octets; labels of one name are told apart by their ids."""
    labels = labels_by_octets(report)
    plain = [label.name or label.id for label in labels]
    return {
        label.id: name if label == OTHER or plain.count(name) == 1 else f"{name} ({label.project_id or label.id})"
        for label, name in zip(labels, plain, strict=True)
    }


def _row(record: UsageRecord, names: dict[str, str]) -> Specification:
    row: Specification = {
        "label": names[record.label.id],
        "direction": str(record.direction or "both"),
        "packets": record.counts.packets,
        "octets": record.counts.octets,
    }
    if record.interval is not None:
        row["start"] = record.interval.start // _NANOSECONDS_PER_MILLISECOND
        row["end"] = record.interval.end // _NANOSECONDS_PER_MILLISECOND
    return row


def _stacked(usage: Sequence[UsageRecord], names: dict[str, str]) -> list[Specification]:
    """Give the rows with mean rates, each atop those of larger labels in its interval and direction."""
    rank = {identifier: position for position, identifier in enumerate(names)}
    tops: defaultdict[tuple[object, object], int] = defaultdict(int)
    rows = []
    for record in sorted(usage, key=lambda each: rank[each.label.id]):
        if record.interval is None:
            continue
        seconds = Fraction(record.interval.end - record.interval.start, SECOND)
        place = (record.interval, record.direction)
        bottom, tops[place] = tops[place], tops[place] + record.counts.octets
        bounds = {"rate_from": int(bottom * 8 / seconds), "rate_to": int(tops[place] * 8 / seconds)}
        rows.append({**_row(record, names), "rate": int(record.counts.octets * 8 / seconds), **bounds})
    return rows


def _title(report: MeterReport) -> Specification:
    names = [source.name for source in report.sources[:_SOURCES_NAMED]]
    more = len(report.sources) - _SOURCES_NAMED
    parts = [", ".join(names) + (f" and {more} more" if more > 0 else ""), _span(report.usage)]
    if any(record.estimated for record in report.usage):
        parts.append("estimated from samples")
    if report.overlapping:
        parts.append("labels overlap, so they are not stacked")
    if report.partial:
        parts.append("interrupted, partial")
    return {
        "text": "Traffic by metering label",
        "subtitle": " · ".join(part for part in parts if part),
        "anchor": "start",
        "offset": 16,
        "fontSize": 18,
        "color": _INK,
        "subtitleColor": _QUIET_INK,
        "subtitleFontSize": 12,
        "subtitlePadding": 6,
    }


def _span(usage: Sequence[UsageRecord]) -> str:
    intervals = [record.interval for record in usage if record.interval is not None]
    if not intervals:
        return ""
    return f"{format_time(min(each.start for each in intervals))} to {format_time(max(each.end for each in intervals))}"


def _colour(names: dict[str, str]) -> Specification:
    colours = [_OTHER_COLOUR if identifier == OTHER.id else _PALETTE[n % len(_PALETTE)] for n, identifier in enumerate(names)]
    return {
        "field": "label",
        "type": "nominal",
        "scale": {"domain": list(names.values()), "range": colours},
        "legend": {"title": "label"},
    }


def _tooltip(*timed: Specification) -> list[Specification]:
    return [
        {"field": "label", "title": "label"},
        {"field": "direction", "title": "direction"},
        *timed,
        {"field": "octets", "type": "quantitative", "format": ",", "title": "octets"},
        {"field": "packets", "type": "quantitative", "format": ",", "title": "packets"},
    ]


def _series_over_time(report: MeterReport, names: dict[str, str]) -> Specification:
    directions = list(dict.fromkeys(str(record.direction or "both") for record in report.usage))
    start: Specification = {"field": "start", "type": "temporal", "title": "from", "timeUnit": "utcyearmonthdatehoursminutesseconds"}
    rate: Specification = {"field": "rate", "type": "quantitative", "format": ",", "title": "bit/s"}
    mean = f"mean rate over {format_duration(report.interval or 0)}"
    rate_axis: Specification = {"title": mean, "labelExpr": _RATE_LABEL, "tickCount": 5, "domain": False, "ticks": False, "labelPadding": 6}
    encoding: Specification = {
        "x": {
            "field": "start",
            "type": "temporal",
            "scale": {"type": "utc"},
            "axis": {
                "title": "time (UTC)",
                "labelExpr": _CLOCK_LABEL,
                "grid": False,
                "labelFlush": True,
                "tickCount": 10,
                "labelOverlap": True,
            },
        },
        "x2": {"field": "end"},
        "y": {"field": "rate_from", "type": "quantitative", "axis": rate_axis},
        "y2": {"field": "rate_to"},
        "color": _colour(names),
        "tooltip": _tooltip(start, rate),
    }
    height = 200 if len(directions) > 1 else 340
    mark: Specification = {"type": "rect"}
    if report.overlapping:
        mark = {"type": "rule", "strokeWidth": 3}
        encoding["y"] = {"field": "rate", "type": "quantitative", "axis": rate_axis}
        del encoding["y2"]
    unit: Specification = {"width": _WIDTH, "height": height, "mark": mark, "encoding": encoding}
    if len(directions) <= 1:
        return unit
    return {"facet": {"row": {"field": "direction", "type": "nominal", "header": {"labelOrient": "top"}, "sort": directions}}, "spec": unit}


def _bars(report: MeterReport, names: dict[str, str]) -> Specification:
    several = "direction" in report.grouped_by
    label_axis: Specification = {"title": None, "labelLimit": 240, "ticks": False, "domain": False, "labelPadding": 8, "labelFontSize": 13}
    octets_axis: Specification = {"title": "octets (1 MB = 1,000,000 octets)", "labelExpr": _OCTETS_LABEL, "tickCount": 6}
    encoding: Specification = {
        "y": {"field": "label", "type": "nominal", "sort": list(names.values()), "axis": label_axis},
        "x": {"field": "octets", "type": "quantitative", "axis": octets_axis},
        "tooltip": _tooltip(),
    }
    if several:
        words = [word for word in ("ingress", "egress", "unknown") if any(str(record.direction) == word for record in report.usage)]
        colours = {"ingress": _PALETTE[0], "egress": _PALETTE[1], "unknown": _OTHER_COLOUR}
        scale: Specification = {"domain": words, "range": [colours[word] for word in words]}
        encoding["color"] = {"field": "direction", "type": "nominal", "scale": scale, "legend": {"title": "direction"}}
        encoding["yOffset"] = {"field": "direction", "type": "nominal", "sort": words}
    else:
        encoding["color"] = {"value": _PALETTE[0]}
    return {
        "width": _WIDTH,
        "height": {"step": 18 if several else 30},
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": encoding,
    }
