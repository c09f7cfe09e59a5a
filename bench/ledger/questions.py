"""``python -m bench.ledger.questions SCALE RUNS``: makes ledgers, asks a server about them, and prints the figures as JSON.

Owns what is made and asked. Answers are held against what was made before their time counts.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import numpy as np
import urllib3

from bench.control.servers import Server, running_venturi
from bench.ledger.databases import DATABASES, POSTGRESQL, has_postgresql
from bench.ledger.figures import MadeFigures, QuestionFigures, QuestionsFigures
from bench.ledger.making.__main__ import make_ledger
from bench.ledger.making.shape import LedgerShape
from bench.measure.processes import ProgramFailedError
from bench.scale import SCALES, Scale
from venturi.core.domain.interval import format_time
from venturi.core.ledger.bins import DAY

_JSON, _PARQUET = "application/json", "application/vnd.apache.parquet"
_LABELS = "/v2.0/metering/metering-labels"
_TIMEOUT = 600.0


@dataclass(frozen=True)
class Question:
    """What is asked of the ``days`` that end ``before`` days before the ledger does; ``one_label`` asks about the first label alone.

    ``most`` is how many milliseconds it may take at most, None if it is only compared with another.
    """

    name: str
    days: int
    resolution: str
    group_by: str
    most: float | None
    form: str = _JSON
    one_label: bool = False
    before: int = 0

    def path(self, shape: LedgerShape, label_id: str) -> str:
        """Give what is sent to the server."""
        end = shape.end - self.before * DAY
        asked = {"from": format_time(end - self.days * DAY), "to": format_time(end), "resolution": self.resolution}
        asked |= {"group_by": self.group_by, **({"label_id": label_id} if self.one_label else {})}
        return f"/v1/usage?{urlencode(asked)}"


def few_labels(shape: LedgerShape) -> tuple[Question, ...]:
    """Give the questions about a ledger that has hours for as long as it has days."""
    month, week, ago = min(30, shape.fine), min(7, shape.fine), shape.days - 30
    one = "label,direction"
    return (
        Question("one label's month by hour", month, "1h", one, 30, one_label=True),
        Question("one label's month by 5 minutes", month, "5m", one, 60, one_label=True),
        Question("one label's month by 5 minutes, Parquet", month, "5m", one, 60, _PARQUET, one_label=True),
        Question("projects of a month", month, "total", "project,direction", 50),
        Question("one label's last week by hour", week, "1h", one, None, one_label=True),
        Question("one label's week a year ago by hour", week, "1h", one, None, one_label=True, before=ago),
    )


def many_labels(shape: LedgerShape) -> tuple[Question, ...]:
    """Give the questions about a ledger of many labels."""
    month = min(30, shape.hourly)
    return (
        Question("top 10 of all labels of a month, which are all sent", month, "total", "label", 250),
        Question("all labels by day over a month, JSON", month, "1d", "label,direction", None),
        Question("all labels by day over a month, Parquet", month, "1d", "label,direction", 2_000, _PARQUET),
    )


def main(scale: str, runs: str) -> None:
    """Ask on every database that this machine has."""
    figures = QuestionsFigures()
    for database in DATABASES:
        if database == POSTGRESQL and not has_postgresql():
            figures.remarks.append("PostgreSQL is not installed and was left out.")
            continue
        for shape in _shapes(SCALES[scale]):
            _measure(database, shape, int(runs), figures)
    sys.stdout.buffer.write(msgspec.json.encode(figures))


def _shapes(scale: Scale) -> Iterator[LedgerShape]:
    """Give a ledger of few labels with hours of all days, and one of many labels with hours of the last 35 days."""
    end, days = time.time_ns() // DAY * DAY, scale.made_days
    few, many = scale.made_labels
    yield LedgerShape(labels=few, projects=10, end=end, days=days, hourly=days, fine=min(35, days), entered=0)
    yield LedgerShape(labels=many, projects=max(10, many // 100), end=end, days=days, hourly=min(35, days), fine=3, entered=0)


def _measure(database: str, shape: LedgerShape, runs: int, figures: QuestionsFigures) -> None:
    with DATABASES[database]() as url, tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        rows = make_ledger(url, shape)
        figures.made.append(MadeFigures(database, shape.labels, rows, time.perf_counter() - began))
        with running_venturi(Path(folder), url) as server:
            questions = few_labels(shape) if shape.hourly == shape.days else many_labels(shape)
            figures.questions += [_ask(server, database, shape, question, runs) for question in questions]


def _ask(server: Server, database: str, shape: LedgerShape, question: Question, runs: int) -> QuestionFigures:
    """Ask once for nothing, and then ``runs`` times: for the median of the time until the whole answer is there."""
    with urllib3.HTTPConnectionPool("127.0.0.1", server.port, timeout=_TIMEOUT, retries=False) as connection:
        (label,) = json.loads(connection.request("GET", f"{_LABELS}?name=label-0").data)["metering_labels"]
        path = question.path(shape, label["id"])
        octets = len(_answer(connection, path, question.form))
        _check(shape, question, _answer(connection, path, _JSON))
        taken, before = [], server.cpu_seconds()
        for _ in range(runs):
            began = time.perf_counter()
            _answer(connection, path, question.form)
            taken.append(time.perf_counter() - began)
        cpu = (server.cpu_seconds() - before) / runs
        name = f"{shape.labels:,} labels: {question.name}"
        return QuestionFigures(database, name, statistics.median(taken), cpu, octets, question.most)


def _answer(connection: urllib3.HTTPConnectionPool, path: str, form: str) -> bytes:
    answer = connection.request("GET", path, headers={"Accept": form})
    if answer.status != 200:
        message = f"the server answers {answer.status} to {path}: {answer.data[:500]!r}"
        raise ProgramFailedError(message)
    return answer.data


def _check(shape: LedgerShape, question: Question, answer: bytes) -> None:
    """Hold all packets of an answer against those that were made; raise ``ProgramFailedError`` if they differ."""
    end = shape.end - question.before * DAY
    report = msgspec.json.decode(answer)
    found = sum(row["packets"] for interval in report["intervals"] for row in interval["usage"])
    packets = shape.packets(np.arange(end - question.days * DAY, end, DAY, dtype=np.int64), DAY)
    made = int(packets[:, :1].sum() if question.one_label else packets.sum())
    if found != made:
        message = f"{question.name}: {found} packets, where {made} were made"
        raise ProgramFailedError(message)


if __name__ == "__main__":
    main(*sys.argv[1:])
