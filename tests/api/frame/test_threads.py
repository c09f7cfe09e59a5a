"""What fails in the server outside of a request is told: tasks of the event loop, threads of nobody, the server beside a program."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from tests.delivery.delivering import wait_for
from tests.spool.building import LOG
from tests.support.threads import Told
from venturi.adapters.server.background import running_beside
from venturi.adapters.threads.supervisor import EVENT_LOOP, OTHER_THREAD
from venturi.core.domain.errors import ThreadFailedError
from venturi.interfaces.api.application import watch_tasks
from venturi.interfaces.api.metrics import ServerMetrics

LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]


async def task_of_nobody() -> None:
    """Start a task whose end nobody waits for."""

    async def fail() -> None:
        raise RuntimeError

    asyncio.get_running_loop().create_task(fail())
    await asyncio.sleep(0.05)
    gc.collect()
    await asyncio.sleep(0.05)


async def callback_of_nobody() -> None:
    """Have the loop call what fails."""

    def fail() -> None:
        raise RuntimeError

    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.05)


async def worker_of_nobody() -> None:
    """Have a worker thread do what fails, and look away."""

    def fail() -> None:
        raise RuntimeError

    asyncio.get_running_loop().run_in_executor(None, fail)
    await asyncio.sleep(0.2)
    gc.collect()
    await asyncio.sleep(0.05)


async def broken_connection() -> None:
    """Have the loop call what ends as a connection does that breaks off."""

    def fail() -> None:
        raise ConnectionResetError

    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.05)


FAILURES = [
    pytest.param(task_of_nobody, 1, id="a task"),
    pytest.param(callback_of_nobody, 1, id="a callback"),
    pytest.param(worker_of_nobody, 1, id="a worker thread"),
    pytest.param(broken_connection, 0, id="a connection that breaks off is no failure"),
]


@pytest.mark.parametrize("new_loop", LOOPS)
@pytest.mark.parametrize(("fails", "times"), FAILURES)
def test_what_fails_in_the_event_loop_is_told(
    fails: Callable[[], Coroutine[Any, Any, None]], times: int, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    told = Told()
    supervisor = told.supervisor()

    async def run() -> None:
        watch_tasks(supervisor, LOG)
        await fails()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run())
    assert [failure.thread for failure in told.failures] == [EVENT_LOOP] * times
    assert supervisor.failures() == {EVENT_LOOP: times, OTHER_THREAD: 0}


class FailingServer:
    """A server that fails when it runs."""

    stopped = False

    def run(self) -> None:
        raise RuntimeError

    def stop(self) -> None:
        self.stopped = True


def test_a_server_that_fails_beside_a_program_ends_the_program() -> None:
    told, server = Told(), FailingServer()
    supervisor = told.supervisor()
    with running_beside(server, supervisor):
        wait_for(lambda: told.ends == 1)
    assert server.stopped
    with pytest.raises(ThreadFailedError, match="thread 'server' failed"):
        supervisor.require_alive()


def test_counters_are_there_from_zero_on_and_tell_no_times_of_their_making() -> None:
    told = ServerMetrics("1.2.3").write(lambda: 0).decode()
    assert 'venturi_build_info{version="1.2.3"} 1.0' in told
    for kind in ("plan_leased", "batch_conflict", "agent_silent", "thread_failed"):
        assert f'venturi_alarms_total{{kind="{kind}"}} 0.0' in told
    assert "_created" not in told


def test_metrics_count_failures_and_say_which_thread_is_down() -> None:
    metrics = ServerMetrics("0")
    metrics.show_threads({"alarms": "running", "last-use": "down"}, {"alarms": 0, "last-use": 3})
    metrics.show_open_alarms({"batch_conflict": 2})
    metrics.show_open_alarms({})
    families = {family.name: family.samples for family in text_string_to_metric_families(metrics.write(lambda: 0).decode())}
    figures = {sample.labels["thread"]: sample.value for sample in families["venturi_thread_up"]}
    assert figures == {"alarms": 1.0, "last-use": 0.0}
    assert {sample.labels["thread"]: sample.value for sample in families["venturi_thread_failures"]} == {"alarms": 0.0, "last-use": 3.0}
    assert {sample.value for sample in families["venturi_alarms_open"]} == {0.0}
