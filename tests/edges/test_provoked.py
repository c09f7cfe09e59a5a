"""Errors of the kernel and of databases that are provoked, not raised by a test: each becomes one sentence."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import urllib3
from sqlalchemy import text

from tests.spec.build import label
from tests.support.batches import SpoolOfTests, make_batch_label, make_interval, send_form
from tests.support.databases import ON_POSTGRESQL, DatabaseServers, open_store, writing_connection
from tests.support.kernel.router import OUTER, Router, run, running_router
from tests.support.ledgers import LedgerOfTests
from tests.support.server import BY_PLAN_FILES, running_server
from venturi.adapters.drivers.nftables import netlink
from venturi.adapters.drivers.nftables.driver import NftablesConfig, NftablesDriver
from venturi.adapters.network.link_events import LinkEvents
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.errors import DriverError, StoreError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.ledger.batch import Envelope

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    with running_router() as running:
        yield running


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What gives the sockets of netlink smaller buffers."""
    return monkeypatch


def metered_at(router: Router) -> tuple[MeteredDevice, CompiledClassifier, Generation]:
    classifier = CompiledClassifier([label(f"l{n}", f"out 10.{n >> 8}.{n & 255}.0/24 > *") for n in range(1500)])
    device = MeteredDevice(point_id="p", device=OUTER, namespace=router.namespace)
    return device, classifier, Generation(id="3" * 32, spool_id="e" * 32, digest="3" * 64)


def test_a_message_that_is_too_long_for_the_kernel_is_told(router: Router, narrow: pytest.MonkeyPatch) -> None:
    device, classifier, generation = metered_at(router)
    driver = NftablesDriver(NftablesConfig(f"edge{os.getpid()}"))
    narrow.setattr(netlink, "_SEND_BUFFER", 4096)
    with pytest.raises(DriverError, match="the kernel cannot be spoken to: Message too long"):
        driver.apply(device, classifier, generation)
    narrow.undo()
    driver.apply(device, classifier, generation)
    assert driver.is_counting(device, generation)
    assert driver.purge() == 1


def test_answers_that_the_buffer_does_not_hold_are_told(router: Router, narrow: pytest.MonkeyPatch) -> None:
    narrow.setattr(netlink, "_RECEIVE_BUFFER", 1)
    with closing(netlink.Connection(router.namespace)) as connection:
        missing = [netlink.Change(netlink.Verb.DELETE_TABLE, netlink.text(1, f"none{n}")) for n in range(500)]
        with pytest.raises(DriverError, match="the kernel cannot be spoken to: No buffer space available"):
            connection.commit(missing)


def test_changes_of_devices_that_were_missed_count_as_changes(router: Router) -> None:
    events = LinkEvents(router.namespace)
    try:
        events._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        for _ in range(20):
            run("ip", "-n", router.namespace, "link", "set", OUTER, "alias", "a")
            run("ip", "-n", router.namespace, "link", "set", OUTER, "alias", "b")
        assert events.changed()
    finally:
        events.stop()


@contextmanager
def copies_killed(url: str) -> Iterator[None]:
    """Kill whatever process of PostgreSQL copies usage into the ledger, until the end of the block."""
    ended = threading.Event()

    def kill_writers() -> None:
        while not ended.is_set():
            with writing_connection(url) as connection:
                found = connection.execute(
                    text("SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY ledger_usage%' AND state = 'active'")
                ).scalars()
                for process in found:
                    os.kill(process, signal.SIGTERM)
            time.sleep(0.002)

    killing = threading.Thread(target=kill_writers)
    killing.start()
    try:
        yield
    finally:
        ended.set()
        killing.join()


def large_batches() -> list[Envelope]:
    """Make batches that take so long to copy that they can be met at it."""
    spool = SpoolOfTests(labels=[make_batch_label(f"l{n}") for n in range(2000)])
    usage = [(n, 0, 1, 100) for n in range(2000)]
    return [spool.seal(*(make_interval(minute + 5 * n, usage=usage) for minute in range(5))) for n in range(12)]


@ON_POSTGRESQL
def test_a_postgresql_connection_that_dies_within_copy_is_told(database_servers: DatabaseServers, tmp_path: Path) -> None:
    url = database_servers.empty_database("postgresql", tmp_path)
    envelopes, told = large_batches(), list[str]()
    with open_store(url) as store:
        with copies_killed(url):
            for envelope in envelopes:
                try:
                    LedgerOfTests(store).post(envelope)
                except StoreError as error:
                    told.append(str(error))
                    break
        assert told
        assert told[0].startswith("the database cannot be used: ")
        LedgerOfTests(store).post(*envelopes)


@ON_POSTGRESQL
def test_it_is_503_over_http_and_what_is_sent_again_is_posted(database_servers: DatabaseServers, tmp_path: Path) -> None:
    url = database_servers.empty_database("postgresql", tmp_path)
    envelopes = large_batches()
    headers = {"Content-Type": "application/vnd.venturi.batch"}
    with running_server(tmp_path, database=url, config=BY_PLAN_FILES) as server:

        def post(envelope: Envelope) -> urllib3.BaseHTTPResponse:
            return server.request("POST", "/v1/batches", headers=headers, body=send_form(envelope))

        with copies_killed(url):
            answers = []
            for envelope in envelopes:
                answers.append(post(envelope))
                if answers[-1].status != 200:
                    break
        assert answers[-1].status == 503, answers[-1].data
        error = answers[-1].json()
        assert "the database cannot be used" in str(error)
        assert "Traceback" not in str(error) + "".join(server.raw_log)
        assert {post(envelope).status for envelope in envelopes} == {200}
