"""Reports of usage over HTTP: thirty days of a thousand labels, which were posted before.

Owns what is posted for them and what is asked.
"""

import statistics
import time
from collections.abc import Mapping
from urllib.parse import urlencode

import urllib3

from bench.control.servers import Server
from bench.ledger.batches import BEGINNING, PROJECT, BatchShape, label_id
from bench.ledger.figures import ReportFigures
from bench.measure.processes import ProgramFailedError
from venturi.core.domain.interval import SECOND

LABELS = 1_000

FILLING_SHAPE = BatchShape(points=1, labels=LABELS, readings=24, seconds=300, step=3_600)
"""A day in one batch: five minutes of every hour, which fill the roll-up of hours as well as a whole hour does."""

REPORTS: Mapping[str, Mapping[str, str]] = {
    f"{LABELS:,} labels in one sum": {"group_by": ""},
    f"{LABELS:,} labels of a project": {"project_id": PROJECT, "group_by": "project"},
    "one label of them": {"label_id": label_id(0), "group_by": "label"},
}
"""What is asked, all of it by hour, by name."""

_DAY = 86_400 * SECOND
_TIMEOUT = 120.0


def measure_reports(server: Server, database: str, days: int, turns: int) -> list[ReportFigures]:
    """Ask for every report ``turns`` times, having asked once for nothing."""
    figures = []
    with urllib3.HTTPConnectionPool("127.0.0.1", server.port, timeout=_TIMEOUT, retries=False) as connection:
        for name, asked in REPORTS.items():
            bounds = {"from": _spell(BEGINNING), "to": _spell(BEGINNING + days * _DAY), "resolution": "1h"}
            path = f"/v1/usage?{urlencode({**bounds, **asked})}"
            taken = [_ask(connection, path) for _ in range(turns + 1)][1:]
            seconds = statistics.median(seconds for seconds, _ in taken)
            figures.append(ReportFigures(database, f"{days} days by hour, {name}", seconds, taken[0][1]))
    return figures


def _ask(connection: urllib3.HTTPConnectionPool, path: str) -> tuple[float, int]:
    """Give the seconds until the whole answer was there, and its octets."""
    began = time.perf_counter()
    answer = connection.request("GET", path)
    elapsed = time.perf_counter() - began
    if answer.status != 200:
        message = f"the server answers {answer.status} to {path}: {answer.data[:500]!r}"
        raise ProgramFailedError(message)
    return elapsed, len(answer.data)


def _spell(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment // SECOND))
