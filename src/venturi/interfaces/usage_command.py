"""What ``venturi usage`` does: ask a server for a report, then write it.

Owns the way from names to ids. Layout belongs to ``render.usage``.
"""

import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO, NamedTuple, TextIO

from venturi.adapters.client.collections import LABELS, POINTS, Collection, Reference
from venturi.adapters.client.resources import Resources
from venturi.adapters.ending import Ending
from venturi.core.domain.errors import ForbiddenError, NotFoundError
from venturi.interfaces.output_files import check_folders, whole_file, write_text_file
from venturi.interfaces.render.chart import MAXIMUM_SERIES, Specification, chart_format, chart_specification
from venturi.interfaces.render.quantities import Units
from venturi.interfaces.render.resources.output import write_document, write_list
from venturi.interfaces.render.resources.selection import Row, choose_columns, sort_rows
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.render.usage.charting import drawable
from venturi.interfaces.render.usage.folding import FoldedReport, fold_report
from venturi.interfaces.render.usage.question import UsageQuestion
from venturi.interfaces.render.usage.rows import (
    BOUNDARY,
    KIND,
    intervals_of,
    largest_first,
    name_others,
    report_columns,
    report_rows,
    totals_by_boundary,
)
from venturi.interfaces.render.usage.table import (
    spell_bounds,
    spell_comparison,
    tell_what_is_twice,
    tell_what_may_overlap,
    write_report_table,
)
from venturi.interfaces.standard_output import write_paged, write_standard_output
from venturi.interfaces.usage_advice import tell_since_when, tell_what_is_missing


class UsageRenderers(NamedTuple):
    """The renderers that need libraries which take long to load, handed in so that they are loaded only where used.

    ``parquet`` writes rows with columns to a binary stream; ``chart`` draws a specification as the content of a file of a given ending.
    """

    parquet: Callable[[Sequence[Row], Sequence[str], BinaryIO], None]
    chart: Callable[[Specification, str], bytes]


def show_usage(resources: Resources, question: UsageQuestion, view: View, renderers: UsageRenderers) -> int:
    """Write a report: a table for people, or its rows; JSON and YAML without chosen columns are the server's own document."""
    for chart in question.charts:
        chart_format(chart)
    check_folders(question.path, *question.charts)
    ranking = [] if question.top is None else [("top", str(question.top)), ("order_by", question.order_by)]
    beside = [] if question.compare is None else [("compare", question.compare)]
    beside += [] if question.rates is None else list(zip(("unit", "percentile"), question.rates, strict=True))
    beside += [("forecast", "true")] if question.forecast else []
    query = [
        *question.parameters,
        *ranking,
        *beside,
        *_identified(resources, LABELS, question.labels),
        *_identified(resources, POINTS, question.points),
    ]
    report = resources.ask("GET", "/v1/usage/points" if question.totals else "/v1/usage", query=query)
    known = report_columns(report, points=question.totals, used=question.used)
    columns = choose_columns(view.columns, known, known)
    order = choose_columns(view.sort_columns, known, ())
    rows = list(report_rows(report))
    drawn = [drawable(report, name_others(report, rows), _ask_for_parts(resources, report, question))] if question.charts else []
    plain = not (view.columns or view.sort_columns)
    if view.form == "parquet" and question.path is not None:
        with whole_file(question.path) as temporary, temporary.open("wb") as stream:
            renderers.parquet(sort_rows(rows, order), columns, stream)
    elif view.form == "table" and not view.columns:
        _write_for_people(resources, report, question, view, order)
    elif view.form in {"json", "yaml"} and plain:
        _write(question.path, partial(write_document, report, view))
    else:
        chosen = replace(view, columns=(), sort_columns=order)
        _write(question.path, partial(write_list, _spell_reasons(rows, view), columns, chosen))
    for chart in question.charts:
        specification = chart_specification(drawn[0], question.top or MAXIMUM_SERIES)
        drawing = renderers.chart(specification, chart_format(chart))
        with whole_file(chart) as temporary:
            temporary.write_bytes(drawing)
    return 0


def watch_usage(show: Callable[[], int], seconds: float, ending: Ending) -> int:
    """Show again and again, each time ``seconds`` after the last, until the end is called for; a terminal is cleared before."""
    while not ending.called:
        if sys.stdout.isatty():
            write_standard_output(partial(_write_text, _CLEAR))
        show()
        ending.wait(seconds)
    return 0


def _write(path: str | None, write: Callable[[TextIO], None]) -> None:
    """Write to a file, or to standard output."""
    if path is None:
        write_standard_output(write)
    else:
        write_text_file(path, write)


def _write_text(text: str, stream: TextIO) -> None:
    stream.write(text)


def _write_for_people(
    resources: Resources, report: Mapping[str, object], question: UsageQuestion, view: View, order: Sequence[str]
) -> None:
    """Write a table between what is to be known before and after it; where there is no usage, what is missing for it."""
    folded = FoldedReport(report, "", "") if question.unfolded else fold_report(report)
    rows = name_others(folded.report, report_rows(folded.report))
    ranked = rows if report.get("top") else largest_first(rows)
    ordered = sort_rows(rows, order) if order else ranked
    before = [
        *tell_since_when(resources, report),
        spell_bounds(report),
        *spell_comparison(report, rows),
        *filter(None, [folded.before]),
        "",
    ]
    after = [*filter(None, [folded.after]), *tell_what_is_twice(folded.report, rows), *tell_what_may_overlap(rows)]
    if not any("octets" in row for row in rows):
        after += tell_what_is_missing(resources, report, question.labels, totals=question.totals)

    counted = {} if not rows or (question.totals and not report.get("top")) else _ask_what_points_counted(resources, report, question)

    def write(stream: TextIO) -> None:
        stream.writelines(f"{line}\n" for line in before)
        if ordered:
            write_report_table(folded.report, ordered, Units(question.units), stream, coloured=view.coloured, counted=counted)
        stream.writelines(f"{line}\n" for line in after)

    if question.path is None and question.paged:
        write_paged(write)
    else:
        _write(question.path, write)


def _ask_what_points_counted(resources: Resources, report: Mapping[str, object], question: UsageQuestion) -> dict[str, Row]:
    """Ask for what the points of a report counted, by boundary; nothing where the caller may not see that of all of them."""
    if report.get("top"):
        return totals_by_boundary(row for row in report_rows(report) if row.get(KIND) == "total")
    return totals_by_boundary(_ask_for_totals(resources, report, question, [("group_by", BOUNDARY)]))


def _ask_for_parts(resources: Resources, report: Mapping[str, object], question: UsageQuestion) -> list[Row]:
    """Ask for the totals of points where a chart over time of what all projects used is to be made whole by them."""
    group_by = set(question.group_by or ())
    narrowed = any(name in {"project", "project_id"} for name, _ in question.parameters)
    if report.get("resolution") == "total" or not question.used or "project" not in group_by or narrowed:
        return []
    if group_by - {"project", "direction", BOUNDARY}:
        return []
    told_apart = ",".join(sorted(group_by - {"project"})) or BOUNDARY
    return _ask_for_totals(resources, report, question, [("group_by", told_apart), ("resolution", str(report["resolution"]))])


def _ask_for_totals(
    resources: Resources, report: Mapping[str, object], question: UsageQuestion, asked: Sequence[tuple[str, str]]
) -> list[Row]:
    filters = [(name, value) for name, value in question.parameters if name in {"point_project_id", "boundary", "direction", "zone"}]
    bounds = [(name, str(report[name])) for name in ("from", "to")]
    if question.compare is not None:
        period = [(name, value) for name, value in question.parameters if name == "period"]
        bounds = [*(period or bounds), ("compare", question.compare)]
    boundaries = report.get("boundaries")
    filters += [("boundary", str(each)) for each in boundaries if ("boundary", each) not in filters] if isinstance(boundaries, list) else []
    query = [*bounds, *asked, *filters, *_identified(resources, POINTS, question.points)]
    try:
        totals = resources.ask("GET", "/v1/usage/points", query=query)
    except (ForbiddenError, NotFoundError):
        return []
    if _points_of(totals) != _points_of(report):
        return []
    return [row for row in report_rows(totals) if "octets" in row]


def _points_of(report: Mapping[str, object]) -> int:
    """Give at how many points a report is about, as far as its intervals say."""
    return max((int(str(interval.get("observation_points", 0))) for interval in intervals_of(report)), default=0)


def _spell_reasons(rows: Sequence[Row], view: View) -> Sequence[Row]:
    """Give rows with their reasons in one text, as the server's CSV has them; other forms keep the list."""
    if view.form != "csv":
        return rows
    return [{**row, "reasons": " ".join(reasons)} if isinstance(reasons := row.get("reasons"), list) else row for row in rows]


def _identified(resources: Resources, collection: Collection, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Give filters by ids, or by patterns; an id needs no look-up, so that usage of what is deleted can be asked for."""
    patterns = {LABELS.noun: "label", POINTS.noun: "point"}
    return [(patterns[collection.noun], text) if "*" in text else _identify(resources, collection, text) for text in texts]


def _identify(resources: Resources, collection: Collection, text: str) -> tuple[str, str]:
    """Give a filter by id. A point that the caller may not list may stand in its reports all the same: the report knows it by name."""
    name = _FILTERS[collection.noun]
    if _is_id(text):
        return name, text.lower()
    try:
        return name, resources.identify(Reference(collection, text))
    except NotFoundError:
        if collection is not POINTS:
            raise
        return "observation_point_name", text


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


_FILTERS: Mapping[str, str] = {LABELS.noun: "label_id", POINTS.noun: "observation_point_id"}

_CLEAR = "\x1b[H\x1b[2J\x1b[3J"
"""What clears a terminal, and what was written before (ECMA-48 §8.3.21, §8.3.39)."""
