"""``python -m bench.ledger SCALE RUNS``: posts to each database and reads usage back, and prints the figures as JSON.

Owns what is measured in which order.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.control.servers import running_venturi
from bench.ledger.batches import BatchShape, BatchStream, SealedBatches
from bench.ledger.comparing import find_earlier, post_by_turns
from bench.ledger.databases import DATABASES, POSTGRESQL, has_postgresql, measure_flush
from bench.ledger.figures import FILLING, SERVICE, LedgerFigures
from bench.ledger.posting import (
    check_posted,
    fold_posted,
    gather_statistics,
    median_of,
    post_through_service,
    posting_service,
    prepare_database,
)
from bench.ledger.reports import FILLING_SHAPE, measure_reports
from bench.scale import SCALES, Scale

SHAPE = BatchShape(points=10, labels=500)
"""What is posted: a minute of a host with ten routers."""


def main(scale: str, runs: str) -> None:
    """Measure every database that this machine has."""
    figures = LedgerFigures(remarks=[f"The disk below the databases keeps 8 KiB for good in {measure_flush() * 1e3:.2g} ms."])
    earlier = find_earlier()
    if earlier is None:
        figures.remarks.append("The version from before there were checks could not be built, and was left out.")
    for database in DATABASES:
        if database == POSTGRESQL and not has_postgresql():
            figures.remarks.append("PostgreSQL is not installed and was left out.")
            continue
        _measure_posting(database, SCALES[scale], int(runs), figures)
        figures.postings += post_by_turns(database, SHAPE, SCALES[scale].posted_batches, int(runs), earlier)
        _measure_reading(database, SCALES[scale], int(runs), figures)
    sys.stdout.buffer.write(msgspec.json.encode(figures))


def _measure_posting(database: str, scale: Scale, runs: int, figures: LedgerFigures) -> None:
    """Post the batches of one spool: the first of them for nothing, then ``runs`` times some."""
    stream = BatchStream(1, SHAPE)
    first = stream.seal(1)
    by_service = [stream.seal(scale.posted_batches) for _ in range(runs)]
    with DATABASES[database]() as url:
        prepare_database(url)
        with posting_service(url) as service:
            post_through_service(service, first, database, SERVICE)
            figures.postings.append(median_of([post_through_service(service, batches, database, SERVICE) for batches in by_service]))
        fold_posted(url, first, database)
        check_posted(url, _count_packets([first, *by_service]))


def _measure_reading(database: str, scale: Scale, runs: int, figures: LedgerFigures) -> None:
    """Fill the days with usage, and ask for it."""
    batches = BatchStream(1, FILLING_SHAPE).seal(scale.reported_days)
    with DATABASES[database]() as url, tempfile.TemporaryDirectory() as folder:
        prepare_database(url)
        with posting_service(url) as service:
            figures.postings.append(post_through_service(service, batches, database, FILLING))
        figures.postings.append(fold_posted(url, batches, database))
        check_posted(url, batches.packets)
        gather_statistics(url)
        with running_venturi(Path(folder), url) as server:
            figures.reports += measure_reports(server, database, scale.reported_days, max(runs, 3))


def _count_packets(posted: Sequence[SealedBatches]) -> int:
    return sum(batches.packets for batches in posted)


if __name__ == "__main__":
    main(*sys.argv[1:])
