"""A batch is posted once, for good, in whatever order batches come, and contradictions are seen."""

import base64
import os
from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import func, select, text

from tests.support.batches import SpoolOfTests, make_batch_label, make_interval
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE, open_store
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger import conflicts as conflicts_of_agents
from venturi.adapters.store.ledger.conflicts import MOST_KEPT, read_kept
from venturi.adapters.store.schema.ledger_tables import LEDGER_CONFLICTS, LEDGER_LABEL_VERSIONS, LEDGER_POSTINGS
from venturi.adapters.store.store import Store
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import BatchConflictError, ForbiddenError
from venturi.core.ledger.batch import Envelope, encode_batch

AGENT = Principal(user_id="a", project_id="p", roles=IMPLIED_ROLES[Role.AGENT], agent_id="agent-1", host="Edge-1")
WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]


def conflicts(ledger: LedgerOfTests) -> int:
    return int(ledger.rows(select(func.count()).select_from(LEDGER_CONFLICTS))[0][0])


def test_a_batch_becomes_entries_and_roll_ups(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    answer = ledger.post(spool.seal(make_interval(0, usage=WEB, unmatched=(3, 300)), make_interval(1, usage=WEB)))
    assert (answer.posting, answer.sequence, answer.digest) == (1, 1, spool.sealed[0].digest.hex())
    assert ledger.counts_of_rows() == [1, 2, 4, 4, 0, 0, 0]
    for resolution in (300, 3600):
        assert ledger.usage(spool.labels[0].id, resolution) == {(0, 0): (20, 2000), (0, 1): (8, 800)}
        assert ledger.totals(resolution) == {(0, 0): (23, 2300, 3, 300, 0, 0), (0, 1): (8, 800, 0, 0, 0, 0)}
        assert ledger.coverage(resolution) == {(0, "complete", ""): (120, 0)}
    assert ledger.spool(spool.spool_id) == (1, [])
    assert ledger.alarms == []


def test_the_same_batch_again_gets_the_same_answer_and_posts_nothing(ledger: LedgerOfTests, database: str) -> None:
    spool = SpoolOfTests()
    first = spool.seal(make_interval(0, usage=WEB))
    answer = ledger.post(first)
    ledger.post(spool.seal(make_interval(1, usage=WEB)))
    before = ledger.counts_of_rows(), ledger.usage(spool.labels[0].id), ledger.coverage()
    assert ledger.post(first) == answer
    ledger.store.stop()
    with open_store(database) as later:
        reopened = LedgerOfTests(later)
        assert reopened.post(first) == answer
        assert (reopened.counts_of_rows(), reopened.usage(spool.labels[0].id), reopened.coverage()) == before
    ledger.store.start()


def test_other_content_under_the_same_name_is_refused_and_kept_aside(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    forged = spool.fork().seal(make_interval(0, usage=[(0, 0, 99, 9999)]))
    ledger.post(spool.seal(make_interval(0, usage=WEB)))
    before = ledger.counts_of_rows(), ledger.usage(spool.labels[0].id)
    for _ in range(3):
        with pytest.raises(BatchConflictError, match=r"batch 1 of spool .* is posted already, with other content"):
            ledger.post(forged)
    assert (ledger.counts_of_rows(), ledger.usage(spool.labels[0].id), ledger.alarms, conflicts(ledger)) == (
        *before,
        ["batch_conflict"] * 3,
        1,
    )
    assert ledger.post(spool.sealed[0]).posting == 1


def test_no_more_than_so_many_batches_are_kept_aside(sqlite_ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    forks = [spool.fork() for _ in range(MOST_KEPT + 3)]
    sqlite_ledger.post(spool.seal(make_interval(0, usage=WEB)))
    for number, fork in enumerate(forks):
        with pytest.raises(BatchConflictError):
            sqlite_ledger.post(fork.seal(make_interval(0, usage=[(0, 0, number, 1)] if number else [])))
    assert conflicts(sqlite_ledger) == MOST_KEPT


def fork_of(spool: SpoolOfTests, content: bytes) -> Envelope:
    """Give another batch of the next name, whose content does not compress."""
    labels = [make_batch_label(content[place : place + 100].hex()) for place in range(0, len(content), 100)]
    return replace(spool.fork(), labels=labels).seal(make_interval(0))


def test_no_more_octets_of_one_agent_are_kept_aside(sqlite_ledger: LedgerOfTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflicts_of_agents, "MOST_OCTETS_OF_AGENT", 30_000)
    ours, theirs = SpoolOfTests(), SpoolOfTests(agent_id="agent-2")
    forks = [(spool, [fork_of(spool, os.urandom(10_000)) for _ in range(4)]) for spool in (ours, theirs)]
    for spool, envelopes in forks:
        sqlite_ledger.post(spool.seal(make_interval(0, usage=WEB)))
        for envelope in envelopes:
            with pytest.raises(BatchConflictError):
                sqlite_ledger.post(envelope)
    kept = [(row.agent_id, read_kept(row.envelope)) for row in sqlite_ledger.rows(select(LEDGER_CONFLICTS))]
    assert sorted({agent for agent, _ in kept}) == ["agent-1", "agent-2"]
    assert 2 <= len(kept) < 8
    assert {content for _, content in kept} <= {encode_batch(envelope) for _, envelopes in forks for envelope in envelopes}
    assert sqlite_ledger.alarms == ["batch_conflict"] * 8


def test_what_earlier_versions_kept_aside_is_read() -> None:
    envelope = encode_batch(SpoolOfTests().seal(make_interval(0, usage=WEB)))
    assert read_kept(base64.b64encode(envelope).decode("ascii")) == envelope


def test_batches_may_come_late_and_in_any_order(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    sealed = [spool.seal(make_interval(minute, usage=WEB)) for minute in range(7)]
    seen = []
    for sequence in (4, 2, 7, 1, 3, 6, 5):
        ledger.post(sealed[sequence - 1])
        seen.append(ledger.spool(spool.spool_id))
    assert seen == [
        (4, [(1, 3)]),
        (4, [(1, 1), (3, 3)]),
        (7, [(1, 1), (3, 3), (5, 6)]),
        (7, [(3, 3), (5, 6)]),
        (7, [(5, 6)]),
        (7, [(5, 5)]),
        (7, []),
    ]
    assert ledger.usage(spool.labels[0].id) == {(0, 0): (50, 5000), (0, 1): (20, 2000), (5, 0): (20, 2000), (5, 1): (8, 800)}
    assert ledger.usage(spool.labels[0].id, 3600) == {(0, 0): (70, 7000), (0, 1): (28, 2800)}


@pytest.mark.parametrize(
    ("order", "said"),
    [
        pytest.param((1, 2), "batch 2 of spool .* does not follow from the batch before it", id="after its neighbour"),
        pytest.param((2, 1), "batch 1 of spool .* is not the one that the batch after it follows from", id="before its neighbour"),
    ],
)
def test_a_link_that_does_not_fit_is_refused_when_the_neighbour_arrives(ledger: LedgerOfTests, order: tuple[int, int], said: str) -> None:
    spool = SpoolOfTests()
    other = spool.fork()
    spool.seal(make_interval(0, usage=WEB))
    other.seal(make_interval(0, usage=[(0, 0, 1, 1)]))
    forged = {1: spool.sealed[0], 2: other.seal(make_interval(1, usage=WEB))}
    ledger.post(forged[order[0]])
    with pytest.raises(BatchConflictError, match=said):
        ledger.post(forged[order[1]])
    assert (ledger.counts_of_rows()[0], conflicts(ledger), ledger.alarms) == (1, 1, ["batch_conflict"])


def test_a_spool_belongs_to_the_agent_that_it_came_from(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(make_interval(0, usage=WEB)))
    spool.agent_id = "agent-2"
    with pytest.raises(BatchConflictError, match="belongs to another agent than 'agent-2'"):
        ledger.post(spool.seal(make_interval(1, usage=WEB)))


@pytest.mark.parametrize("other", [SpoolOfTests(agent_id="agent-2"), SpoolOfTests(host="edge-2")], ids=["agent", "host"])
def test_an_agent_posts_as_itself_alone(sqlite_ledger: LedgerOfTests, other: SpoolOfTests) -> None:
    spool = SpoolOfTests()
    sqlite_ledger.post(spool.seal(make_interval(0)), caller=AGENT)
    with pytest.raises(ForbiddenError, match="this token is bound to"):
        sqlite_ledger.post(other.seal(make_interval(0)), caller=AGENT)


def test_names_are_those_of_the_time(ledger: LedgerOfTests) -> None:
    label = make_batch_label("before")
    spool = SpoolOfTests(labels=[label])
    ledger.post(spool.seal(make_interval(0, usage=WEB)))
    spool.labels = [msgspec.structs.replace(label, name="after", project_id="p2")]
    ledger.post(spool.seal(make_interval(1, usage=WEB)))
    ledger.post(spool.seal(make_interval(2, usage=WEB)))
    versions = ledger.rows(select(LEDGER_LABEL_VERSIONS.c.name, LEDGER_LABEL_VERSIONS.c.project_id).order_by(LEDGER_LABEL_VERSIONS.c.id))
    assert [tuple(row) for row in versions] == [("before", "p1"), ("after", "p2")]
    assert ledger.usage(label.id) == {(0, 0): (30, 3000), (0, 1): (12, 1200)}


def test_a_long_interval_is_spread_and_nothing_is_lost(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(make_interval(57, 7, usage=[(0, 0, 10, 1001)])))
    assert ledger.usage(spool.labels[0].id) == {(55, 0): (4, 429), (60, 0): (6, 572)}
    assert ledger.usage(spool.labels[0].id, 3600) == {(0, 0): (4, 429), (60, 0): (6, 572)}
    assert ledger.coverage() == {(55, "interpolated", ""): (180, 0), (60, "interpolated", ""): (240, 0)}


def test_jitter_at_a_border_counts_as_the_border(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    late = make_interval(4, usage=WEB)
    ledger.post(spool.seal(msgspec.structs.replace(late, start=late.start + 10**8, end=late.end + 9 * 10**8)))
    assert ledger.usage(spool.labels[0].id) == {(0, 0): (10, 1000), (0, 1): (4, 400)}


def test_numbers_follow_the_order_of_commits(ledger: LedgerOfTests) -> None:
    spools = [SpoolOfTests() for _ in range(3)]
    for minute in range(2):
        for spool in spools:
            ledger.post(spool.seal(make_interval(minute, usage=WEB)))
    with pytest.raises(BatchConflictError):
        ledger.post(SpoolOfTests(spool_id=spools[0].spool_id).seal())
    ledger.post(spools[0].seal(make_interval(2, usage=WEB)))
    assert [row[0] for row in ledger.rows(select(LEDGER_POSTINGS.c.posting).order_by(LEDGER_POSTINGS.c.posting))] == list(range(1, 8))


def test_a_database_that_may_lose_what_it_committed_is_told(ledger: LedgerOfTests, database_kind: str) -> None:
    ledger.batches.start()
    said = {SQLITE: "", POSTGRESQL: "fsync is off", MARIADB: "innodb_flush_log_at_trx_commit is 0"}[database_kind]
    assert ledger.alarms == (["volatile_database"] if said else [])
    assert said in "".join(ledger.sentences)


def test_commits_wait_for_the_disk(store: Store, database_kind: str) -> None:
    settings = {SQLITE: ("PRAGMA synchronous", 2), POSTGRESQL: ("SHOW synchronous_commit", "on"), MARIADB: ("SELECT @@autocommit", 0)}
    statement, expected = settings[database_kind]
    with store.posting() as writer:
        assert writer.connection.execute(text(statement)).scalar() == expected
