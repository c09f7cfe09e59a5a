"""Batches on their way to a ledger: over bad connections, to servers that refuse, to ledgers and from spools that were set back."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.delivery.delivering import delivering, wait_for
from tests.delivery.posting_ledger import Fault, PostingLedger, posting_ledger
from tests.spool.building import (
    BEGIN,
    CLASSIFIER,
    LOG,
    READING,
    counted_octets,
    interval_of,
    moment_of,
    open_spool,
    recording_of,
    sealed_of,
    spooled_generation,
    totals_of,
    waiting_of,
)
from tests.support.scripted_server import http_answer, scripted_server
from tests.support.server import ServerProcess
from tests.support.threads import Told
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.connection import Connection
from venturi.adapters.client.ledger import LedgerClient, SpoolStanding
from venturi.adapters.logs.configuration import LogConfig
from venturi.adapters.logs.log import build_log
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.values import LastReading
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.ledger.recorded import LabelSet, RecordedInterval
from venturi.services.agent.delivery.config import DeliveryConfig
from venturi.services.agent.delivery.delivery import Delivery
from venturi.services.agent.delivery.state import DeliveryPhase

GENERATION = f"{1:032x}"
PLACE = interval_of(1).interval.place
OCTETS = 3 * 100 * 40
"""What is counted between two readings."""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool with a generation, whose batches hold one interval each."""
    spool = metering_spool(tmp_path / "spool.db")
    yield spool
    spool.stop()


def metering_spool(path: Path) -> Spool:
    """Give a spool with a generation."""
    spool = open_spool(path, batch_rows=1)
    spool.enter(spooled_generation(spool), CLASSIFIER)
    return spool


def record(spool: Spool, *readings: int) -> None:
    """Record readings by number."""
    for reading in readings:
        spool.record(recording_of(reading, GENERATION))


def posted_octets(ledger: PostingLedger) -> int:
    """Sum what the ledger has of the generation."""
    recorded = [RecordedInterval(batch.points[entry.point], LabelSet(()), entry) for batch in ledger.batches() for entry in batch.intervals]
    return counted_octets(recorded)[PLACE, GENERATION]


def test_batches_arrive_in_order_after_a_handshake_and_with_the_token(spool: Spool) -> None:
    record(spool, 1, 2, 3)
    with posting_ledger() as ledger, delivering(spool, ledger.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        record(spool, 4)
        delivery.wake()
        wait_for(lambda: delivery.state.sequence == 4)
        assert ledger.requests == [f"GET /v1/spools/{spool.spool_id}", *["POST /v1/batches"] * 4]
        assert set(ledger.tokens) == {"Bearer a-token"}
        assert list(ledger.posted[spool.spool_id]) == [1, 2, 3, 4]
        assert posted_octets(ledger) == 4 * OCTETS
    assert delivery.state.phase is DeliveryPhase.STOPPED
    assert spool.undelivered(4) == []


class FailingLedger(LedgerClient):
    """Fails so often in a way that nobody expected, before it speaks to its ledger."""

    failures = 2

    def standing(self, spool_id: str) -> SpoolStanding:
        if self.failures:
            self.failures -= 1
            raise RuntimeError
        return super().standing(spool_id)


def test_an_error_that_is_not_the_projects_own_does_not_end_delivery_in_silence(spool: Spool) -> None:
    record(spool, 1, 2)
    told = Told()
    with posting_ledger() as ledger, Connection(ConnectionConfig(url=ledger.url)) as connection:
        delivery = Delivery(DeliveryConfig(agent_id="agent-1", host="host-1"), spool, FailingLedger(connection), LOG, told.supervisor())
        delivery.start()
        try:
            wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        finally:
            delivery.stop()
        assert list(ledger.posted[spool.spool_id]) == [1, 2]
    assert [failure.thread for failure in told.failures] == ["delivery"] * 2


def test_nothing_is_sealed_while_the_ledger_cannot_be_asked(spool: Spool) -> None:
    record(spool, 1, 2)
    with delivering(spool, "http://127.0.0.1:1") as delivery:
        wait_for(lambda: delivery.state.failures > 3)
        assert "cannot be reached" in delivery.state.problem
        assert delivery.state.phase is DeliveryPhase.RETRYING
        assert (spool.head().sequence, spool.size().waiting) == (0, 2)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
def test_a_batch_that_is_not_acknowledged_is_sent_again_and_posted_once(spool: Spool, fault: Fault) -> None:
    record(spool, 1, 2)
    with posting_ledger([fault, fault]) as ledger, delivering(spool, ledger.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert posted_octets(ledger) == 2 * OCTETS
        assert delivery.state.acknowledged == 2
        assert sum(request.startswith("GET") for request in ledger.requests) == 3, "a handshake after each failure"


def test_a_bad_network_loses_nothing_and_doubles_nothing(spool: Spool) -> None:
    chance = Random(5)  # noqa: S311 - to be repeated
    with posting_ledger(chance.choices(list(Fault), k=100)) as ledger, delivering(spool, ledger.url) as delivery:
        for reading in range(1, 31):
            record(spool, reading)
            delivery.wake()
        wait_for(lambda: posted_octets(ledger) == 30 * OCTETS and delivery.state.phase is DeliveryPhase.IDLE)
    assert spool.undelivered(spool.head().sequence) == []


@pytest.mark.parametrize("refusal", [Fault.INVALID, Fault.LARGE, Fault.CONFLICT, Fault.HASTY, Fault.BROKEN])
def test_a_batch_that_is_refused_persistently_holds_up_no_other(spool: Spool, refusal: Fault) -> None:
    record(spool, 1, 2, 3, 4)
    hasty = {"refusal_patience": 0.05, "standing_age": 0.0}
    with posting_ledger(refused={2: refusal}) as ledger, delivering(spool, ledger.url, **hasty) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.INCOMPLETE)
        assert list(ledger.posted[spool.spool_id]) == [1, 3, 4]
        assert ledger.standing(spool.spool_id)["missing"] == [[2, 2]]
        assert delivery.state.refused == (2,)
        assert delivery.state.problem.endswith("which are set aside in the spool: not so")
        assert spool.undelivered(4) == [2]
        ledger.refused.clear()
        delivery.wake()
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert posted_octets(ledger) == 4 * OCTETS
        delivered = delivery.state
        assert (delivered.refused, delivered.problem) == ((), "")
    assert spool.undelivered(4) == []


def test_a_ledger_that_refuses_everything_lets_what_waits_be_coalesced_meanwhile(spool: Spool) -> None:
    record(spool, 1, 2, 3, 4)
    all_refused = dict.fromkeys(range(1, 9), Fault.INVALID)
    with posting_ledger(refused=all_refused) as ledger, delivering(spool, ledger.url, refusal_patience=0.0, most_aside=2) as delivery:
        wait_for(lambda: delivery.state.refused == (1, 2) and delivery.state.failures > 5)
        assert delivery.state.phase is DeliveryPhase.RETRYING
        assert (spool.head().sequence, spool.size().waiting) == (3, 1), "what is not sealed may still be coalesced"
        assert ledger.requests.count("POST /v1/batches") < delivery.state.failures + 10, "what is set aside is tried from time to time only"


def test_many_refusals_in_a_row_never_stop_what_follows(spool: Spool) -> None:
    record(spool, *range(1, 9))
    refused = dict.fromkeys(range(1, 7), Fault.INVALID)
    patience = {"refusal_patience": 0.0, "most_aside": 2, "standing_age": 0.2}
    with posting_ledger(refused=refused) as ledger, delivering(spool, ledger.url, **patience) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.INCOMPLETE)
        assert delivery.state.refused == (1, 2, 3, 4, 5, 6)
        assert list(ledger.posted[spool.spool_id]) == [7, 8]


def test_more_batches_than_may_be_refused_in_a_row_are_set_aside_where_others_are_accepted_between(spool: Spool) -> None:
    record(spool, *range(1, 9))
    refused = dict.fromkeys((1, 3, 4, 6), Fault.INVALID)
    with posting_ledger(refused=refused) as ledger, delivering(spool, ledger.url, refusal_patience=0.0, most_aside=2) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.INCOMPLETE)
        assert delivery.state.refused == (1, 3, 4, 6)
        assert list(ledger.posted[spool.spool_id]) == [2, 5, 7, 8]


def test_no_more_batches_than_there_is_room_to_remember_are_set_aside(spool: Spool) -> None:
    record(spool, *range(1, 9))
    refused = dict.fromkeys((1, 3, 5), Fault.INVALID)
    with posting_ledger(refused=refused) as ledger, delivering(spool, ledger.url, refusal_patience=0.0, most_aside_in_all=2) as delivery:
        wait_for(lambda: delivery.state.refused == (1, 3) and delivery.state.failures > 5)
        assert list(ledger.posted[spool.spool_id]) == [2, 4]
        assert spool.size().waiting == 3
        ledger.refused.clear()
        wait_for(lambda: delivery.state.sequence == 8)
    assert spool.undelivered(8) == [1, 3], "what is set aside is tried later"


def test_after_a_start_what_the_ledger_refused_before_holds_up_nothing(spool: Spool) -> None:
    record(spool, 1, 2, 3)
    refused = dict.fromkeys((1, 2), Fault.INVALID)
    with posting_ledger(refused=refused) as ledger:
        with delivering(spool, ledger.url, refusal_patience=0.0) as delivery:
            wait_for(lambda: delivery.state.phase is DeliveryPhase.INCOMPLETE)
        record(spool, 4)
        with delivering(spool, ledger.url, refusal_patience=3600.0) as again:
            wait_for(lambda: again.state.phase is DeliveryPhase.INCOMPLETE)
            assert again.state.refused == (1, 2)
            assert list(ledger.posted[spool.spool_id]) == [3, 4]


def test_what_a_server_cannot_take_for_now_is_sent_in_its_turn(spool: Spool) -> None:
    record(spool, 1, 2, 3)
    with posting_ledger(refused={2: Fault.BUSY}) as ledger, delivering(spool, ledger.url, refusal_patience=0.0) as delivery:
        wait_for(lambda: delivery.state.failures > 5)
        assert (delivery.state.phase, delivery.state.refused) == (DeliveryPhase.RETRYING, ())
        assert list(ledger.posted[spool.spool_id]) == [1]
        ledger.refused.clear()
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert list(ledger.posted[spool.spool_id]) == [1, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [
        '{"spool_id": "another", "highest": 0}',
        '{"highest": -1}',
        '{"spool_id": "SPOOL", "highest": 9223372036854775808}',
        '{"spool_id": "SPOOL", "highest": 1, "digest": "not hexadecimal", "missing": []}',
        '{"spool_id": "SPOOL", "highest": 0, "missing": [[1]]}',
        "[]",
        "null",
        '{"spool_id": "SPOOL", "highest": 1e400}',
        "no JSON",
        "",
    ],
)
def test_what_is_no_answer_of_a_ledger_is_not_believed(spool: Spool, answer: str) -> None:
    record(spool, 1)
    with scripted_server([http_answer(answer.replace("SPOOL", spool.spool_id))] * 20) as server, delivering(spool, server.url) as delivery:
        wait_for(lambda: delivery.state.failures > 1)
        assert delivery.state.phase is DeliveryPhase.RETRYING
    assert all(request.startswith("GET") for request in server.requests)
    assert spool.head().sequence == 0


def test_a_ledger_that_was_set_back_is_sent_what_it_lacks(spool: Spool) -> None:
    record(spool, 1, 2, 3, 4)
    with posting_ledger() as ledger, delivering(spool, ledger.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
    del ledger.posted[spool.spool_id][4], ledger.posted[spool.spool_id][2]
    with posting_ledger(posted=ledger.posted) as restored, delivering(spool, restored.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert posted_octets(restored) == 4 * OCTETS
        assert restored.requests.count("POST /v1/batches") == 2


def test_a_ledger_that_is_set_back_while_batches_go_on_is_sent_what_it_lacks_at_the_next_answer(spool: Spool) -> None:
    record(spool, 1, 2, 3, 4)
    written = io.StringIO()
    with posting_ledger() as ledger, delivering(spool, ledger.url, log=build_log(written, LogConfig())) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        for sequence in (2, 3, 4):
            del ledger.posted[spool.spool_id][sequence]
        record(spool, 5)
        delivery.wake()
        wait_for(lambda: sorted(ledger.posted[spool.spool_id]) == [1, 2, 3, 4, 5])
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        asked = len(ledger.requests)
        record(spool, 6)
        delivery.wake()
        wait_for(lambda: delivery.state.sequence == 6 and delivery.state.phase is DeliveryPhase.IDLE)
        assert ledger.requests[asked:] == ["POST /v1/batches"], "what is mended is asked no more"
    (line,) = [json.loads(each) for each in written.getvalue().splitlines()]
    assert (line["event"], line["batches"]) == (
        "the ledger lacks batches that it had acknowledged, as after a restore: they are sent again",
        3,
    )


def test_what_a_ledger_lacks_and_nobody_holds_is_asked_for_once(spool: Spool) -> None:
    record(spool, 1, 2)
    with posting_ledger() as ledger, delivering(spool, ledger.url, retention=-1 << 60) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        ledger.posted.clear()
        for reading in (3, 4, 5):
            record(spool, reading)
            delivery.wake()
            wait_for(lambda reading=reading: delivery.state.sequence == reading and delivery.state.phase is DeliveryPhase.IDLE)  # type: ignore[misc]
        assert len([request for request in ledger.requests if request.startswith("GET")]) == 2
        assert delivery.state.lost == 2


def test_what_is_no_longer_held_is_told_as_lost(spool: Spool) -> None:
    record(spool, 1, 2)
    with posting_ledger() as ledger, delivering(spool, ledger.url, retention=-1 << 60) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
    with posting_ledger() as emptied, delivering(spool, emptied.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert (delivery.state.lost, emptied.posted) == (2, {})
        record(spool, 3)
        delivery.wake()
        wait_for(lambda: delivery.state.sequence == 3)


@pytest.fixture
def rolled_back(tmp_path: Path) -> Iterator[tuple[PostingLedger, Path]]:
    """A ledger that has readings 1 to 4 of a spool, and the file of that spool as it was after reading 2."""
    spool = metering_spool(tmp_path / "spool.db")
    record(spool, 1, 2)
    spool.stop()
    copy = Path(shutil.copy(tmp_path / "spool.db", tmp_path / "copy.db"))
    spool.start()
    record(spool, 3, 4)
    with posting_ledger() as ledger:
        with delivering(spool, ledger.url) as delivery:
            wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        spool.stop()
        yield ledger, copy


@pytest.mark.parametrize("more", [(), (3, 4, 5)], ids=["the ledger is ahead", "another batch has the name"])
def test_a_spool_that_was_rolled_back_delivers_nothing_until_it_is_renewed(
    rolled_back: tuple[PostingLedger, Path], more: tuple[int, ...]
) -> None:
    ledger, copy = rolled_back
    spool = open_spool(copy, batch_rows=1)
    record(spool, *more)
    while more and spool.seal(99):
        pass
    with delivering(spool, ledger.url) as delivery:
        wait_for(lambda: delivery.rolled_back)
        assert posted_octets(ledger) == 4 * OCTETS
        renewal = spool.renew(moment_of(9), {GENERATION: LastReading(moment=moment_of(9), pairs=totals_of(9))})
        assert not delivery.rolled_back
        record(spool, 10)
        delivery.wake()
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE and bool(delivery.state.acknowledged))
    spool.stop()
    assert posted_octets(ledger) == 5 * OCTETS, "of readings 1 to 4 and 10; those from 5 to 9 lie in the gap"
    (gap,) = renewal.gaps
    assert (gap.interval.coverage, gap.interval.reason) == (Coverage.GAP, CoverageReason.SPOOL_ROLLED_BACK)
    assert gap.interval.start <= BEGIN + 2 * READING
    assert gap.interval.end == BEGIN + 9 * READING
    assert gap.interval in [interval for batch in ledger.batches() for interval in batch.intervals]


def test_a_real_server_takes_what_is_delivered_and_knows_it_again(spool: Spool, server: ServerProcess) -> None:
    record(spool, 1, 2, 3)
    with delivering(spool, server.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert (delivery.state.acknowledged, delivery.state.problem) == (3, "")
    with delivering(spool, server.url) as again:
        wait_for(lambda: again.state.phase is DeliveryPhase.IDLE)
        assert again.state.acknowledged == 0
    standing = server.request("GET", f"/v1/spools/{spool.spool_id}").json()
    head = spool.head()
    assert (standing["highest"], standing["digest"], standing["missing"]) == (head.sequence, head.digest.hex(), [])


def test_a_renewed_spool_forgets_generations_that_were_not_read_again(spool: Spool) -> None:
    record(spool, 1, 2)
    spool.seal(1)
    renewal = spool.renew(moment_of(5), {})
    assert spool.generations() == ()
    assert (renewal.intervals, renewal.batches) == (1, 1)
    assert [entry.interval.start for entry in renewal.gaps] == [BEGIN]
    assert waiting_of(spool) == list(renewal.gaps)
    assert (sealed_of(spool), spool.head().sequence) == ([], 0)
