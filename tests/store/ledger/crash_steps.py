"""Takes a ledger on SQLite through postings of all kinds, in the folder that is named, and marks after each step what it then holds.

Run as a program by the test of crash points, which knows by this module what was posted, too.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from sqlalchemy import select

from tests.support.batches import SpoolOfTests, make_interval, part_usage
from tests.support.control_values import OPERATOR
from tests.support.crash_points.operations import MARKS
from tests.support.databases import open_store, writing_connection
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.adapters.store.schema.ledger_tables import LEDGER_TABLES
from venturi.core.domain.errors import BatchConflictError
from venturi.core.ledger.batch import BatchLabel, BatchPoint, Envelope

_WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]


def ledger_url(folder: Path) -> str:
    """Give the URL of the ledger in a folder."""
    return f"sqlite:///{folder / 'venturi.db'}"


def sealed_batches() -> list[Envelope]:
    """Seal the batches that are posted, the same each time."""
    points = [BatchPoint(f"{1:08}-0000-4000-8000-000000000001", "uplink", "p1", shared=False, kind="interface")]
    labels = [BatchLabel(f"{2:08}-0000-4000-8000-000000000002", "web", "p1", shared=False)]
    spool = SpoolOfTests(spool_id="5" * 32, points=points, labels=labels)
    intervals = (make_interval(3 * minute, minutes=3, usage=_WEB, unmatched=(1, 40)) for minute in range(5))
    return [spool.seal(part_usage(interval, labels)) for interval in intervals]


def contents_of(url: str) -> str:
    """Identify what a ledger holds, down to its last row."""
    with writing_connection(url) as connection:
        rows = [sorted(map(repr, connection.execute(select(table)))) for table in LEDGER_TABLES]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def steps_of(ledger: LedgerOfTests) -> Iterator[Callable[[], object]]:
    """Give the steps: batches in order, out of order, again and forged, a correction, what is held and decided about, and rolling up."""
    first, second, third, fourth, _ = sealed_batches()
    yield partial(ledger.post, first)
    yield partial(ledger.post, third)
    yield ledger.roller._take_lease
    yield ledger.roller.roll
    yield partial(ledger.post, second)
    yield partial(ledger.post, third)
    yield partial(ledger.correct, (1, 3, (-3, -301)))
    yield partial(_post_forged, ledger, first)
    yield partial(_post_held, ledger)
    yield partial(ledger.held.accept, OPERATOR, "a burst", HeldSelection(positions=[(5, 0)]))
    yield partial(ledger.held.reject, OPERATOR, "forged", HeldSelection(positions=[(5, 3)]))
    yield ledger.roller.roll
    yield partial(ledger.post, fourth)


def _post_forged(ledger: LedgerOfTests, batch: Envelope) -> None:
    """Post other content under the name of a batch, which is kept aside."""
    spool = SpoolOfTests(spool_id=batch.spool_id, points=[BatchPoint("0" * 36, "else", "p1", shared=False, kind="interface")])
    with suppress(BatchConflictError):
        ledger.post(spool.seal(make_interval(0)))


def _post_held(ledger: LedgerOfTests) -> None:
    """Post two intervals that are held."""
    points, labels = (
        [BatchPoint("3" * 36, "other", "p1", shared=False, kind="interface")],
        [BatchLabel("4" * 36, "web", "p1", shared=False)],
    )
    spool = SpoolOfTests(spool_id="6" * 32, points=points, labels=labels)
    ledger.post(spool.seal(*(make_interval(minute, usage=[(0, 0, 1, 10**17)]) for minute in range(2))))


def main(folder: Path) -> None:
    """Take all steps; between the last two the ledger is closed, for which its log of writes is taken into the file, and opened again."""
    url = ledger_url(folder)
    with open_store(url) as store:
        marks = os.open(folder / MARKS, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(marks, f"{contents_of(url)}\n".encode())
        for step in steps_of(LedgerOfTests(store)):
            step()
            os.write(marks, f"{contents_of(url)}\n".encode())
    with open_store(url) as store:
        LedgerOfTests(store).post(sealed_batches()[-1])
        os.write(marks, f"{contents_of(url)}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
