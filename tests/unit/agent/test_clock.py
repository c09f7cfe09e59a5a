"""A wall clock that is wrong for a while costs no usage its place in time, with a server that says so or without."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.agent.world import START, AgentWorld
from tests.unit.agent.plans import NET_TEN, UPLINK, make_plan
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import decode_batch
from venturi.core.ledger.checks import check_batch
from venturi.services.agent.observing import AgentAlarm

DAY = 86400 * SECOND
NEAR = 6 * SECOND
"""How far a time may be from the truth: a good clock and a server's may be this far apart."""


class Host(AgentWorld):
    """A host whose wall clock may be wrong: ``wall - ahead`` is the true time."""

    ahead = 0
    server = False

    def set_clock(self, ahead: int) -> None:
        self.wall += ahead - self.ahead
        self.ahead = ahead

    @property
    def true(self) -> int:
        return self.wall - self.ahead

    def tick(self, seconds: float = 10) -> None:
        """Let time pass and do what the agent does each second: hear of the server, correct times, look and read."""
        self.advance(seconds)
        if self.server:
            self.clock.note_server_time(self.true)
        self.metering.correct_times()
        if self.watch():
            self.read()

    def run(self, seconds: int) -> list[int]:
        """Let time pass with a packet every 10 seconds; give the true times of the packets."""
        passed = []
        for _ in range(seconds // 10):
            self.tick(10)
            self.send(UPLINK, 100)
            passed.append(self.true)
        return passed


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    made.host.add_device("eth0")
    made.host.add_device("inside")
    made.follow(make_plan(NET_TEN))
    yield made
    made.kill()


def assert_told(host: Host, passed: list[int]) -> None:
    """Every packet is within an interval of its true time, every octet is told, and nothing is unknown or in the future."""
    posted = host.intervals(UPLINK.place)
    assert {each.interval.coverage for each in posted} == {"complete"}
    assert sum(each.octets for each in posted) == 100 * len(passed)
    assert all(each.interval.end <= host.true + NEAR for each in posted)
    for one, other in pairwise(posted):
        assert one.interval.end <= other.interval.start
    for time in passed:
        counted = [each for each in posted if each.interval.start - NEAR <= time <= each.interval.end + NEAR]
        assert sum(each.octets for each in counted) >= 100, time
    for each in posted:
        within = [time for time in passed if each.interval.start - NEAR <= time <= each.interval.end + NEAR]
        assert each.octets <= 100 * len(within), each


WRONG = [
    pytest.param(30 * DAY, 10, id="30 days ahead for 10 s"),
    pytest.param(30 * DAY, 600, id="30 days ahead for 10 minutes"),
    pytest.param(-30 * DAY, 10, id="30 days behind for 10 s"),
    pytest.param(-30 * DAY, 600, id="30 days behind for 10 minutes"),
    pytest.param(-START, 600, id="1970 for 10 minutes"),
]
SERVERS = pytest.mark.parametrize("server", [pytest.param(True, id="with a server"), pytest.param(False, id="without")])


@SERVERS
@pytest.mark.parametrize(("ahead", "seconds"), WRONG)
def test_a_clock_that_is_set_wrong_for_a_while(host: Host, ahead: int, seconds: int, server: bool) -> None:
    host.server = server
    passed = host.run(300)
    host.set_clock(ahead)
    passed += host.run(seconds)
    host.set_clock(0)
    passed += host.run(300)
    host.finish()
    assert_told(host, passed)
    assert AgentAlarm.CLOCK_STEP in host.alarms.raised


@SERVERS
@pytest.mark.parametrize("change", [pytest.param(Host.kill, id="killed"), pytest.param(lambda host: host.finish(), id="stopped")])
def test_an_agent_that_is_started_again_while_its_clock_is_wrong(host: Host, change: Callable[[Host], None], server: bool) -> None:
    host.server = server
    passed = host.run(300)
    host.set_clock(30 * DAY)
    host.tick()
    change(host)
    host.start()
    passed += host.run(60)
    host.set_clock(0)
    passed += host.run(300)
    host.finish()
    assert_told(host, passed)


@SERVERS
def test_a_host_that_begins_in_1970(tmp_path: Path, server: bool) -> None:
    host = Host(tmp_path)
    try:
        host.kill()
        host.set_clock(-START)
        (tmp_path / "spool.db").unlink()
        host.start()
        host.host.add_device("eth0")
        host.host.add_device("inside")
        host.follow(make_plan(NET_TEN))
        passed = host.run(120)
        host.server = server
        host.set_clock(0)
        passed += host.run(300)
        host.finish()
        assert_told(host, passed)
    finally:
        host.kill()


def test_a_host_that_begins_in_1970_after_it_metered(host: Host) -> None:
    passed = host.run(300)
    host.finish()
    host.reboot()
    host.advance(60)
    host.set_clock(-START)
    host.start()
    host.tick()
    before = len(passed)
    passed += host.run(120)
    host.server = True
    passed += host.run(60)
    host.set_clock(0)
    passed += host.run(300)
    host.finish()
    posted = host.intervals(UPLINK.place)
    assert sum(each.octets for each in posted) == 100 * len(passed)
    assert all(START <= each.interval.start < each.interval.end <= host.true + NEAR for each in posted)
    late = [each for each in posted if each.interval.end > passed[before] + NEAR and each.interval.coverage == "complete"]
    assert sum(each.octets for each in late) == 100 * (len(passed) - before)


def begin_ahead(tmp_path: Path) -> Host:
    """Start an agent whose clock is 30 days ahead, and of which nobody tells it better."""
    host = Host(tmp_path)
    host.kill()
    host.set_clock(30 * DAY)
    (tmp_path / "spool.db").unlink()
    host.start()
    host.host.add_device("eth0")
    host.host.add_device("inside")
    host.follow(make_plan(NET_TEN))
    return host


def test_what_was_recorded_ahead_and_is_not_sealed_is_dated_anew(tmp_path: Path) -> None:
    host = begin_ahead(tmp_path)
    passed = host.run(600)
    host.server = True
    passed += host.run(60)
    host.set_clock(0)
    passed += host.run(300)
    host.finish()
    assert_told(host, passed)


def test_what_was_sealed_ahead_stays_and_its_true_time_is_a_gap(tmp_path: Path) -> None:
    host = begin_ahead(tmp_path)
    ahead = host.run(300)
    host.read(to_the_end=True)
    host.deliver()
    sealed = len(host.posted)
    host.server = True
    right = host.run(120)
    host.set_clock(0)
    right += host.run(300)
    host.finish()
    assert sum(each.octets for each in host.posted[:sealed]) == 100 * len(ahead)
    gaps = [each for each in host.posted[sealed:] if each.interval.coverage == "gap"]
    assert [each.interval.reason for each in gaps] == ["clock_step"]
    assert all(gaps[0].interval.start - NEAR <= time <= gaps[0].interval.end + NEAR for time in ahead)
    assert gaps[0].interval.end <= right[0]
    host.posted = [each for each in host.posted[sealed:] if each not in gaps]
    assert_told(host, right)


def test_usage_of_the_days_that_follow_is_taken_by_a_ledger(tmp_path: Path) -> None:
    host = begin_ahead(tmp_path)
    host.run(60)
    host.read(to_the_end=True)
    host.deliver()
    host.set_clock(0)
    host.server = True
    host.tick()
    assert host.spool is not None
    for _ in range(30):
        host.tick(86400 - 60)
        host.tick(60)
        while (sealed := host.spool.seal(host.true)) is not None:
            batch = decode_batch(sealed.payload)
            check_batch(batch)
            assert max(interval.end for interval in batch.intervals) <= host.true + DAY


def test_nothing_is_sealed_that_is_about_to_be_dated_anew(tmp_path: Path) -> None:
    host = begin_ahead(tmp_path)
    host.run(300)
    host.read(to_the_end=True)
    assert host.spool is not None
    host.spool.seal_while(host.clock.may_seal)
    host.clock.note_server_time(host.true)
    assert host.spool.seal(host.true) is None
    assert host.metering.correct_times()
    assert host.spool.seal(host.true) is not None


@pytest.mark.parametrize("steps", range(4))
def test_an_agent_that_is_killed_while_it_dates_anew(tmp_path: Path, steps: int) -> None:
    host = begin_ahead(tmp_path)
    passed = host.run(300)
    host.server = True
    host.clock.note_server_time(host.true)
    host.fuse.steps = steps
    if not host.do(host.metering.correct_times):
        host.start()
    passed += host.run(60)
    host.set_clock(0)
    passed += host.run(60)
    host.finish()
    assert_told(host, passed)


def test_a_spool_that_refuses_keeps_times_as_they_are_until_it_does_not(tmp_path: Path) -> None:
    host = begin_ahead(tmp_path)
    passed = host.run(300)
    assert host.spool is not None
    host.server, host.spool.full = True, True
    passed += host.run(60)
    host.spool.full = False
    passed += host.run(60)
    host.set_clock(0)
    passed += host.run(60)
    host.finish()
    assert_told(host, passed)
