"""The figures as text: Markdown tables, fit for a terminal and for ``README.md``.

Owns rounding and units; measures nothing.
"""

import math
from collections.abc import Iterable, Sequence

from bench.compare.profile import PER_RECORD, PER_RUN, Profile
from bench.compare.targets import Results, Target
from bench.measure.processes import Figures
from bench.measure.requests import RequestFigures


def write_results(results: Results) -> str:
    """Give the tables of rates and of targets."""
    parts = []
    if results.figures:
        parts.append(_table(_FIGURE_TITLES, map(_figure_row, results.figures)))
    if results.rates:
        parts.append(_table(("in memory", "M/s"), ((name, f"{rate / 1e6:.1f}") for name, rate in results.rates)))
    if results.requests:
        parts.append(_table(_REQUEST_TITLES, map(_request_row, results.requests)))
    parts += [_table(table.titles, table.rows) for table in results.tables if table.rows]
    if results.targets:
        parts.append(_table(("target", "measured", "wanted", ""), map(_target_row, results.targets)))
    return "\n\n".join([*parts, *results.remarks])


def write_profiles(profiles: dict[str, Profile]) -> str:
    """Give the table of stages: a row for each stage, a column for each input."""
    rows = [(f"{stage}, ns a record", *(f"{profile[stage]:.1f}" for profile in profiles.values())) for stage in PER_RECORD]
    rows += [(f"{stage}, s a run", *(f"{profile[stage]:.2f}" for profile in profiles.values())) for stage in PER_RUN]
    return _table(("stage", *profiles), rows)


_FIGURE_TITLES = ("program and input", "M/s", "M/s per core", "wall s", "CPU s", "of it start-up", "peak MB")


def _figure_row(figures: Figures) -> tuple[str, ...]:
    records = figures.contender.records
    rates = [_spell_rate(rate) if records else "" for rate in (figures.wall_rate, figures.cpu_rate)]
    start_up = f"{figures.start_wall:.2f} / {figures.start_cpu:.2f}" if figures.contender.start_up else ""
    return (figures.contender.name, *rates, f"{figures.wall:.2f}", f"{figures.cpu:.2f}", start_up, f"{figures.peak_octets / 1e6:.0f}")


_REQUEST_TITLES = ("server and request", "at a time", "requests/s", "p99 ms", "requests")


def _request_row(figures: RequestFigures) -> tuple[str, ...]:
    counted = f"{len(figures.seconds):,}"
    return (figures.name, str(figures.connections), f"{figures.rate:,.4g}", f"{figures.p99 * 1e3:.3g}", counted)


def _spell_rate(rate: float) -> str:
    return "too short" if math.isnan(rate) else f"{rate / 1e6:.3g}"


def _target_row(target: Target) -> tuple[str, ...]:
    sign = "≤" if target.at_most else "≥"
    wanted = f"{sign} {target.bound:g}{target.unit}"
    if not target.told:
        return target.claim, "too short", wanted, "not told"
    return target.claim, f"{target.measured:.3g}{target.unit}", wanted, "met" if target.met else "MISSED"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    spelled = [_line([cell.ljust(width) for cell, width in zip(line, widths, strict=True)]) for line in lines]
    return "\n".join([spelled[0], _line(["-" * width for width in widths]), *spelled[1:]])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
