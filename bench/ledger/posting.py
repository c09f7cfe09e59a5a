"""Posting as fast as one sender can: through the service that posts, and through a server.

Owns what is sent and the checks. Batches are sealed before the clock runs; every figure needs the roll-ups to hold just what was sent.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import urllib3
from sqlalchemy import func, select, text

from bench.control.servers import Server
from bench.ledger.batches import SealedBatches
from bench.ledger.figures import FOLDING, PostingFigures
from bench.measure.processes import ProgramFailedError
from venturi.adapters.store.engines.engines import build_engines
from venturi.adapters.store.engines.locations import POSTGRESQL, read_location
from venturi.adapters.store.migrations.running import upgrade_schema
from venturi.adapters.store.schema.ledger_tables import LEDGER_LABEL_BINS, LEDGER_OWNER_BINS
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.domain.alarm import Alarm
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import MEDIA_TYPE
from venturi.services.ledger.configuration import LedgerConfig
from venturi.services.ledger.posting import BatchPosting
from venturi.services.ledger.rolling import Roller
from venturi.services.ledger.trusting import HostTrust

_OPERATOR = Principal(user_id="bench", project_id="", roles=IMPLIED_ROLES[Role.ADMIN])
_TIMEOUT = 120.0


def prepare_database(url: str) -> None:
    """Give a database this version's schema."""
    engines = build_engines(read_location(url), 1)
    with engines.writers.begin() as connection:
        upgrade_schema(connection)
    engines.dispose()


def gather_statistics(url: str) -> None:
    """Have PostgreSQL count what it plans queries by, which it does unasked within a minute; the others need not be asked."""
    location = read_location(url)
    if location.get_backend_name() == POSTGRESQL:
        engines = build_engines(location, 1)
        with engines.writers.begin() as connection:
            connection.execute(text("ANALYZE"))
        engines.dispose()


@contextmanager
def posting_service(url: str) -> Iterator[BatchPosting]:
    """Open a store and give the service that posts into it."""
    store = Store(StoreConfig(url))
    store.start()
    try:
        config = LedgerConfig(plan_file_hosts=("agent-1",))
        yield BatchPosting(store, lambda: Nanoseconds(time.time_ns()), _refuse, HostTrust(store, config, _refuse), config)
    finally:
        store.stop()


def post_through_service(service: BatchPosting, batches: SealedBatches, database: str, way: str) -> PostingFigures:
    """Post in this process; ``way`` names what for."""
    began, began_cpu = time.perf_counter(), time.process_time()
    for body in batches.bodies:
        service.post(_OPERATOR, body)
    return _tell(database, way, batches, time.perf_counter() - began, time.process_time() - began_cpu)


def post_over_http(server: Server, batches: SealedBatches, database: str, way: str) -> PostingFigures:
    """Post to a server over one connection; ``way`` names what server."""
    with urllib3.HTTPConnectionPool("127.0.0.1", server.port, timeout=_TIMEOUT, retries=False) as connection:
        began, began_cpu = time.perf_counter(), server.cpu_seconds()
        for body in batches.bodies:
            answer = connection.request("POST", "/v1/batches", body=body, headers={"Content-Type": MEDIA_TYPE})
            if answer.status != 200:
                message = f"the server answers {answer.status} to a batch: {answer.data[:500]!r}"
                raise ProgramFailedError(message)
        return _tell(database, way, batches, time.perf_counter() - began, server.cpu_seconds() - began_cpu)


def fold_posted(url: str, batches: SealedBatches, database: str) -> PostingFigures:
    """Fold what was posted into roll-ups, as much at once as a server does."""
    store = Store(StoreConfig(url))
    store.start()
    try:
        roller = Roller(store, lambda: Nanoseconds(time.time_ns()), _refuse)
        began, began_cpu = time.perf_counter(), time.process_time()
        while roller.roll():
            pass
        return _tell(database, FOLDING, batches, time.perf_counter() - began, time.process_time() - began_cpu)
    finally:
        store.stop()


def median_of(measured: Sequence[PostingFigures]) -> PostingFigures:
    """Give the figures of the median rate; of two in the middle, the slower."""
    return sorted(measured, key=lambda figures: figures.rate)[(len(measured) - 1) // 2]


def check_posted(url: str, packets: int) -> None:
    """Hold the roll-ups of labels and of owners against all packets that were posted; raise ``ProgramFailedError`` if they differ."""
    engines = build_engines(read_location(url), 1)
    with engines.readers.connect() as connection:
        summed = [
            row
            for table in (LEDGER_LABEL_BINS, LEDGER_OWNER_BINS)
            for row in connection.execute(select(table.c.resolution, func.sum(table.c.packets)).group_by(table.c.resolution))
        ]
    engines.dispose()
    if len(summed) != 6 or any(int(total) != packets for _, total in summed):
        message = f"{packets} packets were posted, the roll-ups hold {[tuple(row) for row in summed]}"
        raise ProgramFailedError(message)


def _tell(database: str, way: str, batches: SealedBatches, wall: float, cpu: float) -> PostingFigures:
    return PostingFigures(database, way, str(batches.shape), len(batches.bodies), batches.records, wall, cpu)


def _refuse(alarm: Alarm) -> None:
    """Let no alarm pass: nothing here should raise one."""
    message = f"{alarm.kind}: {alarm.sentence}"
    raise ProgramFailedError(message)
