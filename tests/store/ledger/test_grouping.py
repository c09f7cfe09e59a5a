"""Batches that wait share a transaction: each has a number, a seal and an answer of its own, and suffers from no other."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
import urllib3
from sqlalchemy import text

from tests.store.ledger.test_concurrency import SERVERS, deliver_until_gone
from tests.support.batches import SpoolOfTests, make_interval, send_form
from tests.support.control_values import OPERATOR
from tests.support.databases import SQLITE, DatabaseServers, open_store
from tests.support.ledgers import LedgerOfTests
from tests.support.server import BY_PLAN_FILES, ServerProcess, running_server
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.store import Store
from venturi.core.domain.errors import BatchConflictError, StoreError
from venturi.services.ledger.grouping import GroupPosting

WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]
REFUSED_PACKETS = 666
REFUSALS = {
    "sqlite": f"CREATE TRIGGER refusal BEFORE INSERT ON ledger_usage WHEN NEW.packets = {REFUSED_PACKETS}"
    " BEGIN SELECT RAISE(ABORT, 'refused'); END",
    "postgresql": f"ALTER TABLE ledger_usage ADD CONSTRAINT refusal CHECK (packets <> {REFUSED_PACKETS})",
    "mariadb": f"ALTER TABLE ledger_usage ADD CONSTRAINT refusal CHECK (packets <> {REFUSED_PACKETS})",
}


class CountedStore(Store):
    """A store that counts its posting transactions."""

    transactions = 0

    @contextmanager
    def posting(self) -> Iterator[object]:  # type: ignore[override] # hands on what it is given
        self.transactions += 1
        with super().posting() as writer:
            yield writer


def post_while_blocked(ledger: LedgerOfTests, bodies: list[bytes]) -> list[object]:
    """Submit batches while another posting is under way, so that they wait together; give what becomes of each."""
    group = GroupPosting(ledger.batches, lambda: None)
    blocked, free = threading.Event(), threading.Event()

    def block() -> None:
        with ledger.store._writing_alone(ledger.store._posting_turn):
            blocked.set()
            free.wait(20)

    with ThreadPoolExecutor(1) as pool:
        blocking = pool.submit(block)
        blocked.wait(20)
        futures = [group.submit(OPERATOR, body) for body in bodies]
        free.set()
        blocking.result()
    return [future.exception(60) or future.result() for future in futures]


def make_batches(count: int, packets: int = 10) -> list[SpoolOfTests]:
    spools = [SpoolOfTests(agent_id=f"agent-{number}") for number in range(count)]
    for spool in spools:
        spool.seal(make_interval(0, usage=[(0, 0, packets, 100 * packets)]))
    return spools


def test_batches_that_wait_share_a_transaction(ledger: LedgerOfTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger.store, "__class__", CountedStore)
    spools = make_batches(50)
    answers = post_while_blocked(ledger, [send_form(spool.sealed[0]) for spool in spools])
    assert [answer.digest for answer in answers] == [spool.sealed[0].digest.hex() for spool in spools]  # type: ignore[attr-defined]
    assert sorted(answer.posting for answer in answers) == list(range(1, 51))  # type: ignore[attr-defined]
    assert ledger.store.transactions <= 2  # type: ignore[attr-defined] # the first batch may go before the others have come
    assert [ledger.usage(spool.labels[0].id, 3600) for spool in spools] == [{(0, 0): (10, 1000)}] * 50


@contextmanager
def refusing(ledger: LedgerOfTests, kind: str) -> Iterator[None]:
    """Have the database refuse rows of so many packets; other tests use it, too."""
    ending = "DROP TRIGGER refusal" if kind == SQLITE else "ALTER TABLE ledger_usage DROP CONSTRAINT refusal"
    with ledger.store.posting() as writer:
        writer.connection.execute(text(REFUSALS[kind]))
    try:
        yield
    finally:
        with ledger.store.posting() as writer:
            writer.connection.execute(text(ending))


def test_one_that_the_database_refuses_is_posted_alone(ledger: LedgerOfTests, database_kind: str) -> None:
    spools = make_batches(49)
    refused = make_batches(1, REFUSED_PACKETS)
    mixed = [*spools[:25], *refused, *spools[25:]]
    with refusing(ledger, database_kind):
        answers = post_while_blocked(ledger, [send_form(spool.sealed[0]) for spool in mixed])
    assert [isinstance(answer, StoreError) for answer in answers] == [spool in refused for spool in mixed]
    assert sorted(answer.posting for answer in answers if not isinstance(answer, Exception)) == list(range(1, 50))  # type: ignore[attr-defined]
    assert sum(packets for spool in mixed for packets, _ in ledger.usage(spool.labels[0].id, 3600).values()) == 490


def test_one_that_contradicts_what_is_posted_does_not_stop_the_others(ledger: LedgerOfTests) -> None:
    first, other = SpoolOfTests(), SpoolOfTests(agent_id="agent-2")
    fork = first.fork()
    envelopes = [spool.seal(make_interval(0, usage=WEB)) for spool in (first, other)]
    contradicting = fork.seal(make_interval(3, usage=WEB))
    bodies = [send_form(envelope) for envelope in (envelopes[0], contradicting, envelopes[1], envelopes[0])]
    posted, refused, besides, again = post_while_blocked(ledger, bodies)
    assert isinstance(refused, BatchConflictError)
    assert (posted, besides.posting) == (again, 2)  # type: ignore[attr-defined]
    assert ledger.alarms == ["batch_conflict"]


def test_batches_of_one_spool_follow_each_other_in_a_transaction(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    for minute in range(20):
        spool.seal(make_interval(minute, usage=WEB))
    answers = post_while_blocked(ledger, [send_form(envelope) for envelope in reversed(spool.sealed)])
    assert [answer.sequence for answer in answers] == list(range(20, 0, -1))  # type: ignore[attr-defined]
    assert ledger.spool(spool.spool_id) == (20, [])
    assert ledger.usage(spool.labels[0].id, 3600) == {(0, 0): (200, 20_000), (0, 1): (80, 8_000)}


def test_one_agent_takes_at_most_its_share(sqlite_ledger: LedgerOfTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("venturi.services.ledger.grouping._MOST_ROWS", 12)
    groups: list[list[str]] = []
    together = sqlite_ledger.batches.post_together
    batches = sqlite_ledger.batches

    def note(some: object) -> object:
        groups.append([prepared.envelope.agent_id for prepared in some])  # type: ignore[attr-defined]
        return together(some)  # type: ignore[arg-type]

    monkeypatch.setattr(type(batches), "post_together", lambda _self, some: note(some))
    eager, other = SpoolOfTests(agent_id="eager"), SpoolOfTests(agent_id="other")
    bodies = [send_form(eager.seal(make_interval(minute, usage=WEB))) for minute in range(2)]
    bodies.append(send_form(other.seal(make_interval(0, usage=WEB))))
    post_while_blocked(sqlite_ledger, bodies)
    assert groups in ([["eager", "other"], ["eager"]], [["eager"], ["eager", "other"]])  # the first may go before the others have come


@pytest.mark.parametrize("kind", ["sqlite", *SERVERS])
def test_a_server_that_is_killed_loses_nothing_of_any_agent(kind: str, database_servers: DatabaseServers, tmp_path: Path) -> None:
    url = database_servers.empty_database(kind, tmp_path)
    spools = [SpoolOfTests(agent_id=f"agent-{number}") for number in range(8)]
    for spool in spools:
        for minute in range(60):
            spool.seal(make_interval(minute, usage=WEB))
    with running_server(tmp_path, database=url, config=BY_PLAN_FILES) as server, ThreadPoolExecutor(9) as pool:
        delivering = [pool.submit(deliver_until_gone, server, spool) for spool in spools]
        pool.submit(_kill_after_some, server)
        acknowledged = [each.result() for each in delivering]
    with open_store(url) as store:
        ledger = LedgerOfTests(store)
        highest = [ledger.spool(spool.spool_id)[0] for spool in spools]
        assert all(there in {told, told + 1} for there, told in zip(highest, acknowledged, strict=True))
        assert 0 < sum(acknowledged) < 8 * 60
        ledger.post(*(envelope for spool in spools for envelope in spool.sealed))
        assert [ledger.usage(spool.labels[0].id, 3600)[0, 0] for spool in spools] == [(600, 60_000)] * 8
    assert prove_ledger(url).postings == 8 * 60


def _kill_after_some(server: ServerProcess) -> None:
    """Kill the server once it has posted twenty batches."""
    with urllib3.PoolManager(retries=False, timeout=30) as pool:
        deadline = monotonic() + 30
        while monotonic() < deadline and len(pool.request("GET", f"{server.url}/v1/postings?limit=20").json()["postings"]) < 20:
            sleep(0.01)
    os.kill(server.process.pid, signal.SIGKILL)
