"""The meter report as a table for people, losses last.

Owns layout and colour on a terminal. Spelling of quantities belongs to ``quantities``, order of losses to ``losses``.
"""

from collections.abc import Iterator
from typing import NamedTuple, TextIO

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.interval import format_time
from venturi.core.domain.usage import UsageRecord
from venturi.interfaces.render.losses import counted_losses, lost_messages, shared_parts, skipped_losses
from venturi.interfaces.render.quantities import Units, format_count, format_octets, format_share
from venturi.interfaces.render.rows import labels_by_octets, total_counts
from venturi.interfaces.render.ruled_box import RULED
from venturi.services.offline.report import MeterReport

_WIDE = 110
_PIPE_WIDTH = 100
_BOUNDLESS_WIDTH = 10_000
_LABEL_WIDTH = 13
_BAR_CELLS = 20
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SOURCES_SHOWN = 5
_IDENTITY_WIDTHS = {"direction": 9, "interval start": 17, "observation point": 12}
_DIRECTION_STYLES = {Direction.INGRESS: "cyan", Direction.EGRESS: "magenta", Direction.UNKNOWN: "yellow"}


class TableStyle(NamedTuple):
    """How a table is written: the units of octets, and the width in columns.

    Without a width it is the terminal's, or, where there is none, as wide as no cell needs to be folded. A count is
    never cut: a table that cannot be narrower is wider than asked for.
    """

    units: Units = Units.SI
    width: int | None = None


def write_table(report: MeterReport, stream: TextIO, style: TableStyle) -> None:
    """Write sources, usage, total and losses; with colour only where ``stream`` is a terminal."""
    console = Console(file=stream, width=style.width, highlight=False, emoji=False, markup=False)
    boundless = style.width is None and not stream.isatty()
    if boundless:
        console.width = _PIPE_WIDTH
    table = _Layout(report, style.units, wide=console.width >= _WIDE).table()
    needed = console.measure(table, options=console.options.update(width=_BOUNDLESS_WIDTH))
    console.width = max(console.width, needed.maximum if boundless else needed.minimum + len(table.columns))
    for line in _source_lines(report):
        console.print(Text(line, style="dim"))
    if report.partial:
        console.print(Text("Interrupted: only what was counted until then.", style="bold yellow"))
    console.print()
    console.print(table)
    console.print()
    if len(report.projects) > 1:
        console.print(_projects_table(report, style.units))
        console.print()
    for skipped in _skipped_lines(report):
        console.print(skipped)
    for note in report.notes:
        console.print(Text(f"Note: {note}", style="yellow"))


class _Layout:
    """Lays out one report: its columns, the order of its rows, and the cells of each."""

    def __init__(self, report: MeterReport, units: Units, *, wide: bool) -> None:
        self._report = report
        self._units = units
        self._wide = wide
        self._total = total_counts(report)
        self._identity = [
            *(["direction"] if "direction" in report.grouped_by else []),
            *(["interval start"] if report.interval is not None else []),
            *(["observation point"] if "observation-point" in report.grouped_by else []),
        ]

    def table(self) -> Table:
        """Make the table: usage, the total of the sources, what no label counts."""
        columns = [Column("label", overflow="fold", min_width=_LABEL_WIDTH)]
        columns += [Column(name, overflow="fold", min_width=_IDENTITY_WIDTHS[name]) for name in self._identity]
        columns += [Column(name, justify="right", no_wrap=True, min_width=width) for name, width in self._number_widths().items()]
        columns += [Column("", no_wrap=True, min_width=_BAR_CELLS)] if self._wide else []
        table = Table(*columns, box=RULED, padding=(0, 1, 0, 0), show_edge=False, header_style="bold", border_style="dim")
        self._add_usage(table)
        self._add_sums(table)
        return table

    def _add_usage(self, table: Table) -> None:
        previous = ""
        for record in self._ordered():
            name = record.label.name or record.label.id
            shown = "" if record.label.id == previous else name
            if shown and previous and self._report.interval is not None:
                table.add_section()
            previous = record.label.id
            table.add_row(Text(shown, style="bold"), *self._identity_cells(record), *self._usage_cells(record))
        table.add_section()

    def _add_sums(self, table: Table) -> None:
        estimated = any(source.counts != source.observed for source in self._report.sources)
        table.add_row(*self._sum_cells("total traffic", self._total, estimated=estimated), style="bold")
        for loss in counted_losses(self._report):
            table.add_row(*self._sum_cells(loss.what, loss.counts, estimated=loss.estimated), style="dim")

    def _number_widths(self) -> dict[str, int]:
        counts = [self._total, *(record.counts for record in self._report.usage)]
        packets = max(len(format_count(each.packets)) for each in counts)
        octets = max(len(format_octets(each.octets, self._units)) for each in counts)
        return {"packets": max(packets + 1, 7), "octets": max(octets + 1, 6), "share": 7}

    def _ordered(self) -> list[UsageRecord]:
        rank = {label.id: position for position, label in enumerate(labels_by_octets(self._report))}
        return sorted(
            self._report.usage,
            key=lambda record: (
                rank[record.label.id],
                record.interval.start if record.interval else 0,
                record.observation_point or "",
                record.direction.code if record.direction else 0,
            ),
        )

    def _identity_cells(self, record: UsageRecord) -> Iterator[Text]:
        if "direction" in self._identity:
            direction = record.direction
            yield Text(str(direction or ""), style=_DIRECTION_STYLES[direction] if direction else "")
        if "interval start" in self._identity:
            yield Text(_format_start(record.interval.start) if record.interval else "no time")
        if "observation point" in self._identity:
            yield Text(record.observation_point or "")

    def _usage_cells(self, record: UsageRecord) -> list[Text]:
        cells = self._count_cells(record.counts, estimated=record.estimated)
        if self._wide:
            style = _DIRECTION_STYLES[record.direction] if record.direction else "cyan"
            cells.append(Text(_bar(record.counts.octets, self._total.octets), style=style))
        return cells

    def _sum_cells(self, name: str, counts: Counts, *, estimated: bool) -> list[Text]:
        blanks = [Text()] * len(self._identity)
        return [Text(name), *blanks, *self._count_cells(counts, estimated=estimated), *([Text()] if self._wide else [])]

    def _count_cells(self, counts: Counts, *, estimated: bool) -> list[Text]:
        mark = "~" if estimated else ""
        return [
            Text(mark + format_count(counts.packets)),
            Text(mark + format_octets(counts.octets, self._units)),
            Text(format_share(counts.octets, self._total.octets)),
        ]


def _projects_table(report: MeterReport, units: Units) -> Table:
    """Lay out what projects used, and the parts that add up to the total; shares are of that."""
    total = total_counts(report)
    mark = "~" if any(source.counts != source.observed for source in report.sources) else ""
    columns = [Column("project", overflow="fold", min_width=_LABEL_WIDTH)]
    columns += [Column(name, justify="right", no_wrap=True) for name in ("used packets", "used", "alone packets", "alone", "share")]
    table = Table(*columns, box=RULED, padding=(0, 1, 0, 0), show_edge=False, header_style="bold", border_style="dim")

    def cells(counts: Counts) -> list[str]:
        return [mark + format_count(counts.packets), mark + format_octets(counts.octets, units)]

    for project in sorted(report.projects, key=lambda each: (-each.used.octets, each.project_id)):
        share = format_share(project.alone.octets, total.octets)
        table.add_row(Text(project.project_id or "no project", style="bold"), *cells(project.used), *cells(project.alone), share)
    table.add_section()
    for name, counts in shared_parts(report):
        table.add_row(name, "", "", *cells(counts), format_share(counts.octets, total.octets), style="dim")
    return table


def _format_start(time: int) -> str:
    spelled = format_time(time).replace("T", " ")
    return spelled.replace(":00Z", "Z") if spelled.endswith(":00Z") else spelled


def _source_lines(report: MeterReport) -> list[str]:
    lines = [
        f"{source.name}: {source.format}, metered as {source.metered_as}, {source.records:,} records"
        for source in report.sources[:_SOURCES_SHOWN]
    ]
    more = len(report.sources) - _SOURCES_SHOWN
    return [*lines, f"and {more} more sources"] if more > 0 else lines


def _skipped_lines(report: MeterReport) -> list[Text]:
    losses = skipped_losses(report)
    lost = lost_messages(report)
    width = max((len(f"{loss.times:,}") for loss in losses), default=0)
    lines = [Text(f"  {loss.times:>{width},} {loss.reason}, {loss.where}") for loss in losses]
    if lines:
        lines.insert(0, Text("skipped:", style="yellow"))
    if lost:
        lines += [Text("lost on the way:", style="yellow"), *(Text(f"  {line}") for line in lost)]
    return lines


def _bar(part: int, whole: int) -> str:
    """Draw ``part`` of ``whole`` in cells of a terminal, to an eighth of a cell."""
    eighths = min(part * _BAR_CELLS * 8 // whole, _BAR_CELLS * 8) if whole > 0 else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()
