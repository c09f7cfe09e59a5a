"""The ledger: usage records posted a second, and usage read back.

Owns the tables and the targets. The measuring is a process of its own, so that its memory is not taken for that of other programs.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from bench.compare.targets import Results, Table, Target
from bench.ledger.figures import EARLIER_HTTP, FILLING, FOLDING, HTTP, LedgerFigures, PostingFigures, ReportFigures
from bench.measure.processes import run_program
from bench.scale import Scale

LEAST_THOUSANDS = {"PostgreSQL": 30, "SQLite": 20}
"""How many thousands of usage records must be posted in a second, by database."""

LEAST_OF_EARLIER = 0.9
"""What posting with all checks must come to, of what it was before there were any."""

MOST_REPORT_MILLISECONDS = 200


def compare_ledger(scale: Scale, runs: int) -> Results:
    """Post to every database by each way, and ask for reports."""
    told = run_program([sys.executable, "-m", "bench.ledger", scale.name, str(runs)]).output
    figures = msgspec.json.decode(told, type=LedgerFigures)
    targets = [*_hold_rates(figures.postings), *_hold_against_earlier(figures.postings), *_hold_reports(figures.reports)]
    return Results(tables=[_tell_postings(figures.postings), _tell_reports(figures.reports)], targets=targets, remarks=figures.remarks)


def _hold_rates(postings: Iterable[PostingFigures]) -> Iterator[Target]:
    for entry in postings:
        if entry.way not in {FILLING, FOLDING, EARLIER_HTTP}:
            yield Target(f"{entry.database}, {entry.way}: usage records", entry.rate / 1e3, LEAST_THOUSANDS[entry.database], " k/s")


def _hold_against_earlier(postings: Sequence[PostingFigures]) -> Iterator[Target]:
    rates = {(entry.database, entry.way): entry.rate for entry in postings}
    for (database, way), rate in rates.items():
        if way == EARLIER_HTTP:
            yield Target(
                f"{database}, {HTTP}: against the version before there were checks", rates[database, HTTP] / rate, LEAST_OF_EARLIER
            )


def _hold_reports(reports: Iterable[ReportFigures]) -> Iterator[Target]:
    for entry in reports:
        yield Target(f"{entry.database}, {entry.report}", entry.seconds * 1e3, MOST_REPORT_MILLISECONDS, " ms", at_most=True)


def _tell_postings(postings: Iterable[PostingFigures]) -> Table:
    titles = ("database and way", "each batch", "batches", "records/s", "wall s", "CPU s")
    rows = [
        (
            f"{entry.database}, {entry.way}",
            entry.shape,
            f"{entry.batches:,}",
            f"{entry.rate:,.0f}",
            f"{entry.wall:.2f}",
            f"{entry.cpu:.2f}",
        )
        for entry in postings
    ]
    return Table(titles, rows)


def _tell_reports(reports: Iterable[ReportFigures]) -> Table:
    rows = [(entry.database, entry.report, f"{entry.seconds * 1e3:.3g}", f"{entry.octets / 1e3:,.0f}") for entry in reports]
    return Table(("database", "report of usage", "ms", "kB"), rows)
