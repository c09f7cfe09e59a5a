"""Threads do not end in silence: they are started again after pauses, and one that keeps failing ends the program."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from tests.delivery.delivering import wait_for
from tests.spool.building import LOG
from tests.support.threads import HASTY, Told
from venturi.adapters.threads.backoff import Backoff, Pause, Recovery
from venturi.adapters.threads.supervisor import ONCE, OTHER_THREAD, Patience, Supervisor, ThreadFailure
from venturi.core.domain.errors import ThreadFailedError

ERRORS = [
    pytest.param(RuntimeError("nobody expected this"), "RuntimeError: nobody expected this", id="an error of the program"),
    pytest.param(OSError(90, "Message too long"), "OSError: [Errno 90] Message too long", id="an error of the system"),
    pytest.param(MemoryError(), "MemoryError", id="no memory"),
    pytest.param(SystemExit(3), "SystemExit: 3", id="an end of the thread alone"),
]


def failing(error: BaseException, times: int, then: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """Make something to run that fails so often, and then does something."""
    left = iter(range(times))

    def run() -> None:
        if next(left, None) is not None:
            raise error
        then()

    return run


@pytest.mark.parametrize(("error", "said"), ERRORS)
def test_a_thread_that_fails_is_told_of_and_started_again(error: BaseException, said: str) -> None:
    told, stopping, again = Told(), threading.Event(), threading.Event()

    def go_on() -> None:
        again.set()
        stopping.wait()

    supervisor = told.supervisor()
    thread = supervisor.start("delivery", failing(error, 2, go_on), stopping)
    assert again.wait(10)
    assert supervisor.states() == {"delivery": "running"}
    assert supervisor.failures() == {"delivery": 2, OTHER_THREAD: 0}
    assert [failure.thread for failure in told.failures] == ["delivery"] * 2
    assert said in told.failures[0].sentence
    stopping.set()
    thread.join(10)
    assert supervisor.states() == {"delivery": "ended"}
    assert told.ends == 0
    supervisor.require_alive()


def test_a_thread_that_keeps_failing_ends_the_program() -> None:
    told = Told()
    supervisor = told.supervisor(Patience(first_pause=0.001, longest_pause=0.01, most_failures=3))
    thread = supervisor.start("plan", failing(RuntimeError("again"), 100), threading.Event())
    thread.join(10)
    assert (len(told.failures), told.ends) == (4, 1)
    assert supervisor.states() == {"plan": "down"}
    with pytest.raises(ThreadFailedError, match=r"thread 'plan' failed .*4 times in a row, so the program ends"):
        supervisor.require_alive()


def test_a_thread_that_ran_for_long_begins_to_count_anew() -> None:
    told = Told()
    supervisor = told.supervisor(Patience(first_pause=0.001, longest_pause=0.01, most_failures=1, settled=0.0))
    supervisor.start("plan", failing(RuntimeError("again"), 9), threading.Event()).join(10)
    assert (len(told.failures), told.ends, supervisor.states()) == (9, 0, {"plan": "ended"})


def test_what_cannot_be_started_again_ends_the_program_at_once() -> None:
    told = Told()
    told.supervisor().start("server", failing(RuntimeError("once"), 1), threading.Event(), ONCE).join(10)
    assert (len(told.failures), told.ends) == (1, 1)


def test_a_pause_ends_when_the_thread_is_told_to_stop() -> None:
    told, stopping = Told(), threading.Event()
    supervisor = told.supervisor(Patience(first_pause=1e6, longest_pause=1e6))
    thread = supervisor.start("plan", failing(RuntimeError("again"), 100), stopping)
    wait_for(lambda: supervisor.states() == {"plan": "down"})
    stopping.set()
    thread.join(10)
    assert supervisor.states() == {"plan": "ended"}


def test_an_alarm_that_fails_does_not_end_a_thread() -> None:
    again = threading.Event()

    def fail_too(_: ThreadFailure) -> None:
        raise RuntimeError

    supervisor = Supervisor(LOG, fail_too, patience=HASTY)
    supervisor.start("plan", failing(RuntimeError("once"), 1, again.set), threading.Event())
    assert again.wait(10)


def test_threads_of_nobody_are_watched() -> None:
    told = Told()
    supervisor = told.supervisor()
    with supervisor.watching_others():
        thread = threading.Thread(target=failing(RuntimeError("unseen"), 1))
        thread.start()
        thread.join(10)
    assert [failure.thread for failure in told.failures] == [OTHER_THREAD]
    assert supervisor.failures() == {OTHER_THREAD: 1}


def test_pauses_grow_up_to_a_bound_and_begin_anew() -> None:
    longest = [0.0] * 6
    for _ in range(200):
        backoff = Backoff(1.0, 10.0)
        longest = [max(known, backoff.fail()) for known in longest]
    assert all(half < seen <= bound for seen, half, bound in zip(longest, (0.5, 1, 2, 4, 5, 5), (1, 2, 4, 8, 10, 10), strict=True))
    backoff = Backoff(1.0, 10.0)
    backoff.fail()
    backoff.succeed()
    assert (backoff.failures, backoff.fail() <= 1.0) == (0, True)


def _pause_after(seconds: float) -> float:
    """Choose a pause after failures that began so many seconds ago."""
    times = iter([0.0] * 12 + [seconds])
    backoff = Backoff(1.0, 60.0, outage_share=0.15, clock=lambda: next(times))
    for _ in range(12):
        backoff.fail()
    return backoff.fail()


@pytest.mark.parametrize(("seconds", "bound"), [(0, 1.0), (5, 1.0), (20, 3.0), (100, 15.0), (1000, 60.0)])
def test_after_a_short_outage_pauses_are_short(seconds: float, bound: float) -> None:
    assert bound / 2 < max(_pause_after(seconds) for _ in range(100)) <= bound


def test_whoever_reaches_the_server_hastens_those_who_wait_for_it() -> None:
    recovery, stopping, ended = Recovery(), threading.Event(), threading.Event()
    pause = Pause(recovery, stopping)

    def wait() -> None:
        pause.begin()
        assert not pause.wait(600.0)
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not ended.wait(0.1)
    recovery.tell()
    assert ended.wait(10)


def test_a_stop_ends_a_pause_and_old_news_do_not() -> None:
    recovery, stopping = Recovery(), threading.Event()
    pause = Pause(recovery, stopping)
    recovery.tell()
    pause.begin()
    assert pause.wait(0.01) is False
    stopping.set()
    pause.end()
    assert pause.wait(600.0) is True


PROGRAM = """
import sys, threading
from venturi.adapters.logs.configuration import LogConfig
from venturi.adapters.logs.log import build_log
from venturi.adapters.threads.supervisor import Patience, Supervisor
from venturi.interfaces.signals import ended_by_signals
from venturi import main

def fail():
    raise RuntimeError("nobody expected this")

def run(**_):
    ended = threading.Event()
    patience = Patience(first_pause=0.01, longest_pause=0.01, most_failures=2)
    supervisor = Supervisor(build_log(sys.stderr, LogConfig()), lambda _: None, None, patience)
    with ended_by_signals(ended.set):
        supervisor.start("delivery", fail, threading.Event())
        while not ended.wait(0.05):
            pass
    supervisor.require_alive()

main.venturi.main = run
main.main()
"""


def test_a_program_ends_with_a_code_on_which_it_is_started_again() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.returncode == ThreadFailedError.exit_code, run.stderr
    assert "venturi: thread 'delivery' failed (RuntimeError: nobody expected this); it failed 3 times" in run.stderr
    assert run.stderr.count('"event":"thread failed"') == 3
