"""The status of an agent on its way to the server: every interval, whatever else can be delivered, and quiet where nobody takes it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.delivery.delivering import wait_for
from tests.delivery.test_delivery import metering_spool, record
from tests.spool.building import BEGIN, LOG
from tests.support.scripted_server import http_answer, scripted_server
from tests.support.server import ServerProcess
from tests.support.threads import unexpected_supervisor
from tests.unit.agent.test_documents import STATUS
from venturi.adapters.client.agents import StatusClient
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.connection import Connection
from venturi.adapters.host_clocks import look_at_clocks
from venturi.adapters.spool.spool import Spool
from venturi.core.domain.agent_status import MOST_ALARMS, ReportedAlarm, ReportedStatus
from venturi.core.domain.interval import SECOND
from venturi.core.meter.readings.timeline import BothClocks
from venturi.interfaces.agent.observer import OPEN_SECONDS, OVERFLOW, LoggingObserver
from venturi.services.agent import status_sending
from venturi.services.agent.observing import AgentAlarm
from venturi.services.agent.status_sending import SendingParts, StatusSending, report_status


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = metering_spool(tmp_path / "spool.db")
    yield spool
    spool.stop()


@contextmanager
def sending(spool: Spool, url: str, *, interval: float = 0.05, ahead: int = 0) -> Iterator[StatusSending]:
    """Send a status to a server, by clocks that are ``ahead``."""

    def look() -> BothClocks:
        shown = look_at_clocks()
        return BothClocks(shown.wall + ahead, shown.monotonic)

    with Connection(ConnectionConfig(url=url)) as connection:
        client = StatusClient(connection, "agent-1")
        parts = SendingParts(client=client, spool=spool, interval=interval, look=look, log=LOG, supervisor=unexpected_supervisor())
        sent = StatusSending(parts)
        sent.start()
        try:
            yield sent
        finally:
            sent.stop()


def known(server: ServerProcess) -> dict[str, object]:
    answer = server.request("GET", "/v1/agents/agent-1")
    return dict(answer.json()) if answer.status == 200 else {}


@pytest.mark.parametrize("ahead", [0, 30 * 86400, -30 * 86400])
def test_a_real_server_has_the_status_and_the_agent_its_clocks_offset(server: ServerProcess, spool: Spool, ahead: int) -> None:
    record(spool, 1, 2)
    status = msgspec.structs.replace(STATUS, delivery="stopped", threads={"plan": "down"})
    with sending(spool, server.url, interval=1.0, ahead=ahead * SECOND) as sent:
        sent.show(status)
        wait_for(lambda: bool(known(server)))
        found = known(server)
        assert (found["state"], found["phase"], found["threads"], found["driver"]) == ("reporting", "stopped", {"plan": "down"}, "memory")
        assert found["oldest_undelivered"] is not None
        offset = sent.clock_offset()
        assert offset is not None
        assert abs(offset / SECOND - ahead) < 60
        sent.show(msgspec.structs.replace(status, running=False))
    wait_for(lambda: known(server)["state"] == "stopped")


def received(at: str = "2026-03-01T00:00:00Z") -> bytes:
    return http_answer(f'{{"agent_id": "agent-1", "received_at": "{at}"}}')


def test_a_status_is_sent_every_interval_and_after_a_failure(spool: Spool) -> None:
    busy = http_answer('{"error": {"message": "try again"}}', 503)
    answers = [received(), busy, received(), http_answer("no JSON"), received(), received()]
    with scripted_server(answers) as server, sending(spool, server.url) as sent:
        time.sleep(0.1)
        assert server.requests == [], "there is no status yet"
        sent.show(STATUS)
        wait_for(lambda: len(server.requests) >= 5)
    assert set(server.requests) == {"PUT /v1/agents/agent-1"}


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_that_takes_no_status_is_asked_again_rarely(spool: Spool, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = http_answer('{"error": {"message": "what is that"}}', status)
    with scripted_server([refused] * 2) as server, sending(spool, server.url, interval=0.01) as sent:
        sent.show(STATUS)
        wait_for(lambda: len(server.requests) == 1)
        time.sleep(0.3)
        assert len(server.requests) == 1
        assert sent.clock_offset() is None
    monkeypatch.setattr(status_sending, "_UNKNOWN_SECONDS", 0.01)
    monkeypatch.setattr(status_sending, "_REFUSED_SECONDS", 0.01)
    with scripted_server([refused, received(), received()]) as server, sending(spool, server.url, interval=0.01) as sent:
        sent.show(STATUS)
        wait_for(lambda: sent.clock_offset() is not None)


def test_what_is_told_is_within_the_bounds_of_the_form() -> None:
    observer = LoggingObserver(LOG)
    for number in range(MOST_ALARMS + 50):
        observer.raise_alarm(AgentAlarm.APPLY_REFUSED, "\x1b[2J" + "x" * 5000, device=f"\x07{number}" * 100)
    long = msgspec.structs.replace(STATUS, problem="p\n" * 3000, driver="d\x00" * 400, open_alarms=observer.open_alarms())
    told = report_status(long, 60.0, BEGIN)
    assert msgspec.json.decode(msgspec.json.encode(told), type=ReportedStatus) == told
    assert len(told.alarms) == MOST_ALARMS
    assert (told.alarms[-1].kind, told.alarms[-1].count) == (OVERFLOW, 51)
    assert all(text.isprintable() for text in (told.problem, told.driver, *(alarm.sentence + alarm.subject for alarm in told.alarms)))


class Seconds:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_alarms_are_open_until_they_are_over_or_not_raised_for_long() -> None:
    clock = Seconds()
    observer = LoggingObserver(LOG, clock)
    observer.raise_alarm(AgentAlarm.PLAN_REFUSED, "no plan")
    observer.raise_alarm(AgentAlarm.COVERAGE_LOST, "gone", device="eth0", point="p1")
    observer.raise_alarm(AgentAlarm.CLOCK_STEP, "set")
    observer.raise_alarm(AgentAlarm.CLOCK_STEP, "set again")
    assert observer.open_alarms()[2] == ReportedAlarm(kind="clock_step", sentence="set again", count=2)
    assert observer.open_alarms()[1].point_id == "p1"
    observer.clear_alarm(AgentAlarm.PLAN_REFUSED)
    observer.clear_alarm(AgentAlarm.PLAN_REFUSED)
    assert [alarm.kind for alarm in observer.open_alarms()] == ["coverage_lost", "clock_step"]
    clock.now = OPEN_SECONDS
    assert [alarm.kind for alarm in observer.open_alarms(["eth0"])] == ["coverage_lost"], "the device is still not metered"
    assert observer.open_alarms([]) == []


def test_the_oldest_that_is_not_delivered(spool: Spool) -> None:
    assert spool.oldest_undelivered() is None
    record(spool, 1, 2, 3)
    first = spool.oldest_undelivered()
    assert first is not None
    sealed = spool.seal(BEGIN)
    assert sealed is not None
    assert spool.oldest_undelivered() == first, "a sealed batch waits as well"
    spool.acknowledge(sealed.sequence, BEGIN)
    second = spool.oldest_undelivered()
    assert second is not None
    assert second > first
    for _ in range(2):
        sealed = spool.seal(BEGIN)
        assert sealed is not None
        spool.acknowledge(sealed.sequence, BEGIN)
    assert spool.oldest_undelivered() is None
