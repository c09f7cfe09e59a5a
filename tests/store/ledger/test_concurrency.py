"""Several servers post at once, and a server is killed while it posts: every batch is there once, and numbers leave no hole."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import urllib3
from urllib3.exceptions import HTTPError

from tests.support.batches import SpoolOfTests, make_batch_label, make_interval, send_form
from tests.support.databases import MARIADB, ON_MARIADB, ON_POSTGRESQL, POSTGRESQL, SQLITE, DatabaseServers, open_store
from tests.support.ledgers import LedgerOfTests
from tests.support.server import BY_PLAN_FILES, ServerProcess, running_server
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.domain.errors import StoreError
from venturi.core.ledger.batch import Envelope

WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]
SERVERS = [pytest.param(POSTGRESQL, marks=ON_POSTGRESQL), pytest.param(MARIADB, marks=ON_MARIADB)]


def make_spools(count: int, batches: int) -> list[SpoolOfTests]:
    label = make_batch_label("common")
    spools = [SpoolOfTests(labels=[label, make_batch_label(f"own {number}")]) for number in range(count)]
    for spool in spools:
        for minute in range(batches):
            spool.seal(make_interval(minute, usage=[*WEB, (1, 0, 1, 1)]))
    return spools


@pytest.mark.parametrize("kind", [SQLITE, *SERVERS])
def test_every_batch_is_posted_once_by_servers_that_get_all_of_them(kind: str, database_servers: DatabaseServers, tmp_path: Path) -> None:
    url = database_servers.empty_database(kind, tmp_path)
    spools = make_spools(3, 8)
    with ExitStack() as running:
        stores = [running.enter_context(open_store(url)) for _ in range(1 if kind == SQLITE else 2)]
        ledgers = [LedgerOfTests(store) for store in stores]
        orders = [(ledger, spool.sealed[:: 1 if number % 2 else -1]) for number, ledger in enumerate(ledgers * 2) for spool in spools]

        def post(order: tuple[LedgerOfTests, list[Envelope]]) -> list[int]:
            return [order[0].post(envelope).posting for envelope in order[1]]

        with ThreadPoolExecutor(len(orders)) as pool:
            answers = list(pool.map(post, orders))
        assert sorted({number for numbers in answers for number in numbers}) == list(range(1, 25))
        assert ledgers[0].usage(spools[0].labels[0].id, 3600) == {(0, 0): (240, 24000), (0, 1): (96, 9600)}
    assert prove_ledger(url).postings == 24


@pytest.mark.parametrize("kind", [SQLITE, *SERVERS])
def test_a_server_that_is_killed_loses_nothing_that_it_acknowledged(kind: str, database_servers: DatabaseServers, tmp_path: Path) -> None:
    url = database_servers.empty_database(kind, tmp_path)
    spool = SpoolOfTests(labels=[make_batch_label(f"label {number}") for number in range(300)])
    for minute in range(40):
        spool.seal(make_interval(minute, usage=[(label, direction, 10, 1000) for label in range(300) for direction in (0, 1)]))
    with running_server(tmp_path, database=url, config=BY_PLAN_FILES) as server:
        acknowledged = _deliver_until_killed(server, spool)
    with open_store(url) as store:
        assert LedgerOfTests(store).spool(spool.spool_id)[0] in {acknowledged, acknowledged + 1}
    prove_ledger(url)
    with open_store(url) as store:
        LedgerOfTests(store).post(*spool.sealed)
        assert LedgerOfTests(store).usage(spool.labels[0].id, 3600) == {(0, 0): (400, 40_000), (0, 1): (400, 40_000)}
    assert prove_ledger(url).postings == len(spool.sealed)


def _deliver_until_killed(server: ServerProcess, spool: SpoolOfTests) -> int:
    """Send batches to a server that is killed on the way; give the highest sequence that it acknowledged."""
    killer = threading.Timer(0.2, os.kill, (server.process.pid, signal.SIGKILL))
    acknowledged = deliver_until_gone(server, spool, killer.start)
    killer.join()
    return acknowledged


def deliver_until_gone(server: ServerProcess, spool: SpoolOfTests, begin: Callable[[], None] = lambda: None) -> int:
    """Send batches until the server is gone; ``begin`` is called after the first. Give the highest sequence that it acknowledged."""
    acknowledged = 0
    with urllib3.PoolManager(retries=False, timeout=30) as pool:
        for envelope in spool.sealed:
            try:
                answer = pool.request("POST", f"{server.url}/v1/batches", body=send_form(envelope))
            except HTTPError:
                break
            assert answer.status == 200, answer.data
            acknowledged = envelope.sequence
            if acknowledged == 1:
                begin()
    return acknowledged


def test_whoever_waits_long_for_another_posting_is_told_to_come_again(tmp_path: Path) -> None:
    store = Store(StoreConfig(f"sqlite:///{tmp_path / 'venturi.db'}", patience=0.05))
    store.start()
    ledger, sealed = LedgerOfTests(store), SpoolOfTests().seal(make_interval(0, usage=WEB))
    with ThreadPoolExecutor(1) as pool, store.posting(), pytest.raises(StoreError, match="try again"):
        pool.submit(ledger.post, sealed).result()
    assert ledger.post(sealed).posting == 1
    store.stop()
