"""What was once made is read for good: batches are posted, spools taken over, ledgers upgraded, verified, restored and reported alike."""

import json
from pathlib import Path

import pytest

from tests.compat.contents import SPAN
from tests.compat.make import GENERATION
from tests.delivery.delivering import delivering, wait_for
from tests.delivery.posting_ledger import PostingLedger, posting_ledger
from tests.spool.building import READING, moment_of, open_spool, recording_of, waiting_of
from tests.support.control_values import OPERATOR
from tests.support.databases import DATABASES, DatabaseServers
from tests.support.ledgers import LedgerOfTests
from tests.support.server import running_server
from tests.support.versions import ask_reports, find_lost_reports
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.maintenance.ledger_dump import import_ledger
from venturi.adapters.store.maintenance.restoring import restore
from venturi.adapters.store.maintenance.schema import upgrade_database
from venturi.adapters.store.store import Store
from venturi.services.agent.delivery.state import DeliveryPhase

COPIES = ("store.dump", "ledger.db", "ledger.export")
"""The copies of what the server held."""

OF_THE_LEDGER = ("/v1/usage", "/v1/postings", "/v1/spools")
"""The questions that a ledger answers by itself."""


def test_batches_are_posted_once(made: Path, store: Store) -> None:
    ledger = LedgerOfTests(store)
    bodies = [path.read_bytes() for path in sorted(made.glob("batch-*.zst"))]
    assert len(bodies) == 3
    acknowledged = [ledger.batches.post(OPERATOR, body) for body in bodies]
    assert [each.sequence for each in acknowledged] == [1, 2, 3]
    assert [ledger.batches.post(OPERATOR, body) for body in bodies] == acknowledged
    assert ledger.counts_of_rows()[0] == len(bodies)


def test_a_spool_is_taken_over(made: Path) -> None:
    spool = open_spool(made / "spool.db")
    (generation,) = spool.generations()
    assert generation.generation.id == GENERATION
    assert generation.last is not None
    assert generation.last.moment == moment_of(3)
    assert generation.last.pairs.packets.tolist() == [9] * 40
    assert len(spool.classifier(generation.generation.digest)) == 40
    assert (spool.head().sequence, spool.undelivered(1), len(waiting_of(spool))) == (2, [2], 1)
    first = spool.batch(1)
    assert first is not None
    spool.record(recording_of(4, GENERATION))
    with posting_ledger() as ledger, delivering(spool, ledger.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert _readings(ledger) == [1, 2, 3, 4], "an empty ledger is sent what it lacks"
    spool.stop()


def _readings(ledger: PostingLedger) -> list[int]:
    """List the readings that arrived, by number."""
    return sorted((interval.end - moment_of(0).wall) // READING for batch in ledger.batches() for interval in batch.intervals)


def test_a_ledger_is_upgraded_verified_and_reported_as_before(made: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{made / 'ledger.db'}"
    upgrade_database(url)
    assert prove_ledger(url).postings == _postings(made)
    with running_server(tmp_path, database=url) as server:
        assert find_lost_reports(json.loads((made / "reports.json").read_bytes()), ask_reports(server, *SPAN)) == []


def _postings(made: Path) -> int:
    """Give how many postings the server listed: three batches, a correction, and since 002 a batch that is held."""
    listed = json.loads((made / "reports.json").read_bytes())["/v1/postings"]["postings"]
    assert len(listed) >= 4
    return len(listed)


@pytest.mark.parametrize("kind", DATABASES)
@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_restored_into_any_database(made: Path, copy: str, kind: str, database_servers: DatabaseServers, tmp_path: Path) -> None:
    target = database_servers.bare_database(kind, tmp_path, "target")
    assert import_ledger(target, made / copy) if copy == "ledger.export" else restore(target, made / copy, replace=False)
    assert prove_ledger(target).postings == _postings(made)
    reports = json.loads((made / "reports.json").read_bytes())
    with running_server(tmp_path, database=target) as server:
        told = ask_reports(server, *SPAN)
    if copy == "ledger.export":
        reports = {question: answer for question, answer in reports.items() if question.startswith(OF_THE_LEDGER)}
    assert find_lost_reports(reports, told) == []
