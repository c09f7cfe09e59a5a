"""The table of intervals that wait: recorded, and in no batch yet.

Owns its rows and those of the label sets that they name. A transaction around them is for the spool.
"""

from collections.abc import Iterable, Iterator, Sequence

from pysqlite3.dbapi2 import Connection

from venturi.adapters.spool.tables.forms import pack, pack_interval, unpack_interval, unpack_labels
from venturi.core.ledger.recorded import LabelSet, RecordedInterval

_ADD = "INSERT INTO intervals (id, kind, start, end, rows, labels, content) VALUES (?, ?, ?, ?, ?, ?, ?)"


def add_intervals(connection: Connection, recorded: Sequence[RecordedInterval]) -> None:
    """Add intervals, and the label sets that are not known yet."""
    for labels in {entry.labels.digest: entry.labels for entry in recorded}.values():
        _add_labels(connection, labels)
    connection.executemany(_ADD, [_row(None, entry) for entry in recorded])


def put_interval(connection: Connection, name: int, entry: RecordedInterval) -> None:
    """Put an interval, whose labels are known, where another of that id was."""
    connection.execute(_ADD, _row(name, entry))


def _add_labels(connection: Connection, labels: LabelSet) -> None:
    if connection.execute("SELECT 1 FROM label_sets WHERE digest = ?", (labels.digest,)).fetchone() is None:
        connection.execute("INSERT INTO label_sets VALUES (?, ?)", (labels.digest, pack(labels.labels)))


def _row(name: int | None, entry: RecordedInterval) -> tuple[object, ...]:
    interval = entry.interval
    return (name, entry.kind, interval.start, interval.end, entry.rows, entry.labels.digest, pack_interval(entry))


def oldest_intervals(connection: Connection, rows: int) -> list[int]:
    """Choose the intervals that were recorded first, by id: one at least, more while they weigh no more than ``rows`` together."""
    chosen: list[int] = []
    weight = 0
    for name, entry_rows in connection.execute("SELECT id, rows FROM intervals ORDER BY id"):
        weight += entry_rows
        if chosen and weight > rows:
            break
        chosen.append(name)
    return chosen


def read_intervals(connection: Connection, names: Iterable[int]) -> Iterator[RecordedInterval]:
    """Read intervals by id, in the order of ``names``."""
    known: dict[bytes, LabelSet] = {}
    for name in names:
        digest, content = connection.execute("SELECT labels, content FROM intervals WHERE id = ?", (name,)).fetchone()
        if digest not in known:
            known[digest] = unpack_labels(connection.execute("SELECT content FROM label_sets WHERE digest = ?", (digest,)).fetchone()[0])
        yield unpack_interval(content, known[digest])


def drop_intervals(connection: Connection, names: Iterable[int]) -> None:
    """Remove intervals by id; label sets that no interval names stay until ``drop_labels``."""
    connection.executemany("DELETE FROM intervals WHERE id = ?", [(name,) for name in names])


def drop_labels(connection: Connection) -> None:
    """Remove the label sets that no interval names."""
    connection.execute("DELETE FROM label_sets WHERE NOT EXISTS (SELECT 1 FROM intervals WHERE labels = label_sets.digest)")
