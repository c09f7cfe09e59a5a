"""Questions: how long a server takes to answer about ledgers of 13 months.

Owns the tables and the targets. The measuring is a process of its own, so that its memory is not taken for that of other programs.
"""

import sys
from collections.abc import Iterator, Sequence

import msgspec

from bench.compare.targets import Results, Table, Target
from bench.ledger.figures import MadeFigures, QuestionFigures, QuestionsFigures
from bench.measure.processes import run_program
from bench.scale import Scale

MOST_YEAR_TO_WEEK = 1.5
"""How much longer a question about a week a year ago may take than the same about the last week."""

_LAST_WEEK, _YEAR_AGO = "last week", "week a year ago"


def compare_questions(scale: Scale, runs: int) -> Results:
    """Make ledgers on every database, and ask."""
    told = run_program([sys.executable, "-m", "bench.ledger.questions", scale.name, str(runs)]).output
    figures = msgspec.json.decode(told, type=QuestionsFigures)
    tables = [_tell_made(figures.made), _tell_questions(figures.questions)]
    return Results(tables=tables, targets=list(_hold(figures.questions)), remarks=figures.remarks)


def _hold(questions: Sequence[QuestionFigures]) -> Iterator[Target]:
    for entry in questions:
        if entry.most is not None:
            yield Target(f"{entry.database}, {entry.question}", entry.seconds * 1e3, entry.most, " ms", at_most=True)
    weeks = {(entry.database, entry.question): entry.seconds for entry in questions}
    for (database, question), seconds in weeks.items():
        if _YEAR_AGO in question:
            last = weeks[database, question.replace(_YEAR_AGO, _LAST_WEEK)]
            yield Target(f"{database}, {question}: against the last week", seconds / last, MOST_YEAR_TO_WEEK, at_most=True)


def _tell_made(made: Sequence[MadeFigures]) -> Table:
    rows = [(entry.database, f"{entry.labels:,}", f"{entry.rows:,}", f"{entry.seconds:.0f}") for entry in made]
    return Table(("database", "labels", "rows of usage made", "s"), rows)


def _tell_questions(questions: Sequence[QuestionFigures]) -> Table:
    rows = [
        (entry.database, entry.question, f"{entry.seconds * 1e3:.3g}", f"{entry.cpu * 1e3:.3g}", f"{entry.octets / 1e3:,.0f}")
        for entry in questions
    ]
    return Table(("database", "question", "ms", "CPU ms of the server", "kB"), rows)
