"""The keeping of alarms, on each database: agents that fall silent, a database that fails, servers beside each other."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.delivery.delivering import wait_for
from tests.spool.building import LOG
from tests.support.batches import BEGINNING, SpoolOfTests, make_interval
from tests.support.control_values import OPERATOR, make_point, new_id
from tests.support.databases import open_store
from tests.support.ledgers import LedgerOfTests
from tests.support.threads import unexpected_supervisor
from venturi.adapters.store.store import Store
from venturi.adapters.store.tables import agents as agent_table
from venturi.core.domain.agent_status import ReportedAlarm, ReportedStatus
from venturi.core.domain.alarm import Alarm, KeptAlarm
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.domain.point import ExporterPlace, InterfacePlace
from venturi.core.ledger.batch import BatchPoint
from venturi.services.alarms import pending
from venturi.services.alarms.keeping import AlarmKeeping
from venturi.services.alarms.kinds import ServerAlarm

INTERVAL = 60
STATUS = ReportedStatus(host="h", version="1", driver="memory", phase="idle", report_interval_seconds=INTERVAL)
ALARM = Alarm(kind="batch_conflict", subject="s", sentence="it is wrong")


@dataclass
class Server:
    """A server's keeping of alarms by a clock that stands still until it is set, and what it told at once."""

    store: Store
    now: int = BEGINNING
    told: list[Alarm] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin at that time."""
        self.keeping = AlarmKeeping(self.store, lambda: Nanoseconds(self.now), self.told.append, LOG, upkeep_seconds=0.0)

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)

    def report(self, agent_id: str = "a1", status: ReportedStatus = STATUS) -> None:
        self.keeping.receive(agent_id, status)
        self.keeping.write()

    def alarms(self, **filters: str) -> list[KeptAlarm]:
        with self.store.reading() as reader:
            return reader.alarms.list(Listing(filters={name: (text,) for name, text in filters.items()}))

    def silent(self) -> dict[str, str]:
        return {alarm.subject: str(alarm.state) for alarm in self.alarms(kind=ServerAlarm.SILENT.value)}


@pytest.fixture
def server(store: Store) -> Server:
    return Server(store)


def unmetered(server: Server) -> dict[str, str]:
    return {alarm.subject: str(alarm.state) for alarm in server.alarms(kind="point_not_metered")}


def test_a_point_that_nobody_meters_is_an_alarm_after_five_minutes(store: Store) -> None:
    """Until its first record is there, or it is deleted; a change of the point does not make it younger."""
    metered, deleted, exporter = (
        make_point(InterfacePlace(host="edge-1", device="eth1"), name="uplink"),
        make_point(InterfacePlace(host="edge-1", device="eth2")),
        make_point(ExporterPlace(address="192.0.2.1")),
    )
    server = Server(store, time.time_ns())
    with store.writing(OPERATOR) as writer:
        for point in (metered, deleted, exporter):
            writer.points.insert(point)
    with store.writing(OPERATOR) as writer:
        writer.points.update(replace(metered, name="renamed"))
    seen = []
    for seconds in (290, 30):
        server.pass_seconds(seconds)
        server.keeping.write()
        seen.append(unmetered(server))
    assert seen == [{}, dict.fromkeys((metered.id, deleted.id, exporter.id), "open")]
    alarms = {alarm.subject: alarm for alarm in server.alarms(kind="point_not_metered")}
    assert alarms[metered.id].sentence.startswith("nothing is known of observation point 'renamed' since it was created at 20")
    assert alarms[metered.id].sentence.endswith(": see whether the agent of host 'edge-1' runs and what it says of the point")
    assert alarms[exporter.id].sentence.endswith("nothing meters points of kind exporter yet; delete it")
    assert (alarms[metered.id].project_id, alarms[metered.id].point_id) == ("p1", metered.id)
    assert alarms[metered.id].project_sentence == "observation point 'renamed' is not metered: what passes it is not known"
    named = BatchPoint(metered.id, "renamed", "p1", shared=False, kind="interface")
    LedgerOfTests(store).post(SpoolOfTests(points=[named]).seal(make_interval(0, 5)))
    with store.writing(OPERATOR) as writer:
        writer.points.delete(deleted.id)
    server.pass_seconds(30)
    server.keeping.write()
    assert unmetered(server) == {metered.id: "cleared", deleted.id: "cleared", exporter.id: "open"}
    assert [told.kind for told in server.told] == ["point_not_metered"] * 3, "told once while it lasts"


def test_three_missed_statuses_are_an_alarm_until_the_agent_reports_again(server: Server) -> None:
    server.report()
    seen = []
    for seconds in (2 * INTERVAL, INTERVAL, 1, 3600):
        server.pass_seconds(seconds)
        server.keeping.write()
        seen.append(server.silent())
    assert seen == [{}, {}, {"a1": "open"}, {"a1": "open"}]
    (alarm,) = server.alarms(kind=ServerAlarm.SILENT.value)
    assert (alarm.count, alarm.agent_id, alarm.host, alarm.project_id) == (1, "a1", "h", None)
    assert "agent 'a1' of host 'h' has missed 3 statuses: the last one came at 2026-01-01T00:00:00Z" in alarm.sentence
    assert [told.kind for told in server.told] == ["agent_silent"], "told once while it lasts"
    server.report()
    assert server.silent() == {"a1": "cleared"}


def test_a_server_that_has_just_begun_gives_agents_the_time_to_report(server: Server) -> None:
    server.report()
    later = Server(server.store, server.now + 86400 * SECOND)
    later.keeping.write()
    assert later.silent() == {}
    later.pass_seconds(3 * INTERVAL + 1)
    later.keeping.write()
    assert later.silent() == {"a1": "open"}


def test_servers_beside_each_other_raise_one_alarm_of_a_silent_agent(server: Server) -> None:
    other = Server(server.store)
    server.report()
    for each in (server, other):
        each.pass_seconds(4 * INTERVAL)
        for _ in range(3):
            each.keeping.write()
    assert [(alarm.state, alarm.count) for alarm in server.alarms(kind=ServerAlarm.SILENT.value)] == [("open", 1)]


def test_an_agent_without_statuses_is_known_by_its_batches(server: Server) -> None:
    spool = SpoolOfTests()
    LedgerOfTests(server.store).post(spool.seal(make_interval(0)))
    server.report("reporting")
    with server.store.reading() as reader:
        found = {agent.agent_id: agent for agent in reader.agents.list(10)}
    old = found[spool.agent_id]
    assert (old.reported_at, old.status, old.host) == (None, None, spool.host)
    assert old.posted_at is not None
    assert (found["reporting"].reported_at, found["reporting"].posted_at) == (server.now, None)
    server.pass_seconds(86400)
    server.keeping.write()
    assert spool.agent_id not in server.silent(), "it never promised to report"


def test_while_the_database_fails_alarms_wait_and_are_joined(server: Server) -> None:
    server.store.stop()
    for _ in range(3):
        server.keeping.raise_alarm(ALARM)
        server.keeping.write()
        server.pass_seconds(1)
    server.keeping.receive("a1", STATUS)
    server.keeping.write()
    server.store.start()
    server.keeping.raise_alarm(ALARM)
    server.keeping.write()
    (alarm,) = server.alarms(kind="batch_conflict")
    assert (alarm.count, alarm.first_seen_at, alarm.last_seen_at) == (4, BEGINNING, BEGINNING + 3 * SECOND)
    with server.store.reading() as reader:
        assert reader.agents.find("a1") is not None
    assert len(server.told) == 4, "each is told at once, whatever the database does"


def test_what_waits_is_bounded_and_the_rest_is_counted_under_one_row(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "MOST_WAITING", 3)
    for number in range(5):
        server.keeping.raise_alarm(Alarm(kind="batch_conflict", subject=f"s{number}", sentence="wrong"))
    server.keeping.write()
    assert len(server.alarms(kind="batch_conflict")) == 3
    assert [(alarm.subject, alarm.count) for alarm in server.alarms(kind=ServerAlarm.OVERFLOW.value)] == [("alarms", 2)]


def test_no_more_than_so_many_agents_are_kept(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_table, "MOST_AGENTS", 2)
    for agent_id in ("a1", "a2", "a3", "a1"):
        server.report(agent_id)
    with server.store.reading() as reader:
        assert [agent.agent_id for agent in reader.agents.list(10)] == ["a1", "a2"]
    assert [alarm.subject for alarm in server.alarms(kind=ServerAlarm.OVERFLOW.value)] == ["agents"]


def test_an_alarm_that_a_status_tells_twice_is_one_row(server: Server) -> None:
    twice = [ReportedAlarm(kind="clock_step", sentence=sentence, count=number) for number, sentence in ((1, "first"), (2, "second"))]
    server.report(status=ReportedStatus(host="h", version="1", driver="d", phase="p", report_interval_seconds=1, alarms=twice))
    assert [(alarm.sentence, alarm.count) for alarm in server.alarms(kind="clock_step")] == [("second", 2)]


def test_what_is_over_is_cleared(server: Server) -> None:
    server.keeping.raise_alarm(ALARM)
    server.keeping.write()
    server.keeping.clear_alarm(ALARM.kind, ALARM.subject)
    server.keeping.write()
    assert [alarm.state for alarm in server.alarms()] == ["cleared"]


def test_an_alarm_about_a_point_is_of_the_project_of_the_point_whatever_was_said(server: Server) -> None:
    point = make_point(project_id="p1")
    with server.store.writing(OPERATOR) as writer:
        writer.points.insert(point)
    for subject, point_id in (("known", point.id), ("unknown", new_id()), ("none", "")):
        server.keeping.raise_alarm(Alarm(kind="k", subject=subject, sentence="wrong", project_id="forged", point_id=point_id))
    server.keeping.write()
    assert {alarm.subject: alarm.project_id for alarm in server.alarms()} == {"known": "p1", "unknown": None, "none": "forged"}


@pytest.fixture
def writing(sqlite_store: Store) -> Iterator[Server]:
    """A server whose alarms are written by its thread."""
    server = Server(sqlite_store)
    server.keeping.start(unexpected_supervisor())
    yield server
    server.keeping.stop()


def test_alarms_are_written_soon_and_raising_one_waits_for_no_transaction(writing: Server) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with writing.store.posting():
            held.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    began = time.monotonic()
    for number in range(1000):
        writing.keeping.raise_alarm(Alarm(kind="batch_conflict", subject=f"s{number % 10}", sentence="wrong"))
    assert time.monotonic() - began < 5, "a posting that is under way does not hold up who raises an alarm"
    assert writing.alarms() == []
    done.set()
    holder.join()
    wait_for(lambda: sum(alarm.count for alarm in writing.alarms(kind="batch_conflict")) == 1000)


def test_what_is_left_is_written_at_the_end(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'venturi.db'}") as store:
        server = Server(store)
        server.keeping.start(unexpected_supervisor())
        server.keeping.raise_alarm(ALARM)
        server.keeping.stop()
        assert [alarm.subject for alarm in server.alarms()] == ["s"]
