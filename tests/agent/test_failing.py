"""A fault in what an agent does itself is told, and loses nothing; one that stays ends the agent, so that systemd starts it again."""

import secrets
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agent.failing_agent import SAID, FailingDriver, make_program
from tests.agent.test_outage import free_port
from tests.agent.test_running_agent import TEN, metered, send, usage
from tests.support.agent.process import SECONDS, AgentFiles
from tests.support.kernel.router import Router
from tests.support.tools import needs
from venturi.adapters.drivers.nftables.driver import NftablesConfig
from venturi.adapters.threads.supervisor import Patience
from venturi.core.domain.errors import ThreadFailedError

pytestmark = [pytest.mark.root, needs("ip", "nft")]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_metering_that_fails_is_told_and_begins_anew_without_loss(router: Router, tmp_path: Path) -> None:
    files = AgentFiles(tmp_path, "nftables")
    files.write_plan(router, {"ten": "10.0.0.0/8"})
    driver = FailingDriver(NftablesConfig(f"vt{secrets.token_hex(4)}"))
    port = free_port()
    ready = list[float]()
    program = make_program(tmp_path, driver, ("127.0.0.1", port), Patience(first_pause=2, longest_pause=2, most_failures=1000))

    def state() -> object:
        threads = files.status().get("threads")
        return threads.get("metering") if isinstance(threads, dict) else None

    def metric() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            lines = str(answer.read(), "utf-8").splitlines()
        return next(line for line in lines if line.startswith('venturi_agent_thread_up{thread="metering"}')).split()[-1]

    running = threading.Thread(target=program.run, args=(lambda: ready.append(1),))
    running.start()
    try:
        wait_until(lambda: bool(files.status().get("places")) and state() == "running" and bool(ready))
        send(router, TEN, 5)
        driver.failing = True
        wait_until(lambda: state() == "down")
        assert float(metric()) == 0
        send(router, TEN, 7)
        driver.failing = False
        wait_until(lambda: state() == "running")
        send(router, TEN, 11)
        status = files.status()
        assert status["thread_failures"]["metering"] >= 1  # type: ignore[index]
        assert status["alarms"]["thread_failed"] >= 1  # type: ignore[index]
    finally:
        program.stop()
        running.join(SECONDS)
        driver.purge()
    assert ready == [1]
    assert files.status()["running"] is False
    assert usage(files) == {"ten": 23}
    intervals = metered(files)
    assert {each.coverage for each in intervals} == {"complete"}
    assert [one.end for one in intervals[:-1]] == [other.start for other in intervals[1:]]


def test_metering_that_keeps_failing_ends_the_agent(router: Router, tmp_path: Path) -> None:
    files = AgentFiles(tmp_path, "nftables")
    files.write_plan(router, {"ten": "10.0.0.0/8"})
    prefix = f"vt{secrets.token_hex(4)}"
    command = (sys.executable, "-m", "tests.agent.failing_agent", str(tmp_path), prefix)
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3 * SECONDS)
    finally:
        FailingDriver(NftablesConfig(prefix)).purge()
    assert finished.returncode == ThreadFailedError.exit_code
    assert f"thread 'metering' failed (RuntimeError: {SAID}); it failed 9 times in a row, so the program ends" in finished.stderr
