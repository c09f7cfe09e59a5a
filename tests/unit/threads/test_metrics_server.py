"""The server of an agent's metrics: an address that does not exist yet is tried again, and nothing waits for it."""

import io
import json
import socket
import time
from collections.abc import Iterator

import pytest
import urllib3
from prometheus_client import CollectorRegistry

from venturi.adapters.logs.configuration import LogConfig
from venturi.adapters.logs.log import build_log
from venturi.adapters.threads.metrics_server import MetricsServer
from venturi.adapters.threads.supervisor import Supervisor


@pytest.fixture
def log() -> io.StringIO:
    """What is logged."""
    return io.StringIO()


@pytest.fixture
def server(log: io.StringIO) -> Iterator[MetricsServer]:
    """A server that is not started yet."""
    written = build_log(log, LogConfig())
    made = MetricsServer(CollectorRegistry(), Supervisor(written, lambda _: None), written)
    yield made
    made.stop()


def events(log: io.StringIO) -> list[str]:
    return [json.loads(line)["event"] for line in log.getvalue().splitlines()]


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"], ids=["an address of nobody here", "a name that nobody knows"])
def test_what_does_not_exist_yet_is_told_once(server: MetricsServer, log: io.StringIO, host: str) -> None:
    server.start(host, 9)
    deadline = time.monotonic() + 20
    while not events(log) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert events(log) == ["metrics cannot be served; it is tried again"]


def test_an_address_that_comes_is_served(server: MetricsServer, log: io.StringIO) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server.start("127.0.0.1", port)
        deadline = time.monotonic() + 20
        while not events(log) and time.monotonic() < deadline:
            time.sleep(0.05)
    deadline = time.monotonic() + 60
    while "metrics are served" not in events(log) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", timeout=20).status == 200
    assert events(log) == ["metrics cannot be served; it is tried again", "metrics are served"]
