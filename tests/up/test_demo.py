"""``venturi demo`` and ``venturi up`` as root: real packets between namespaces, and figures equal to what was sent."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from venturi.adapters.laboratory.network import LaboratoryNetwork, laboratory_name
from venturi.adapters.laboratory.traffic import Stream, Traffic
from venturi.adapters.network.namespaces import list_namespaces
from venturi.core.domain.counts import Counts

pytestmark = [pytest.mark.root, pytest.mark.needs("ip", "nft", "clang")]

SECONDS = 60.0
VENTURI = (sys.executable, "-m", "venturi")


@pytest.mark.parametrize("driver", ["ebpf", "nftables"])
def test_the_demonstration_meters_what_was_sent_and_leaves_nothing(driver: str) -> None:
    before = set(list_namespaces())
    command = [*VENTURI, "demo", "--driver", driver, "--seconds", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        output, wrong = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, output + wrong
    assert "Equal to the octet." in output
    assert f"is metered by {driver}" in output
    assert [name for name in set(list_namespaces()) - before if f"-{process.pid}-" in name] == []


def test_up_meters_the_devices_of_default_routes(tmp_path: Path) -> None:
    with LaboratoryNetwork(f"{laboratory_name()}-up", ["red"]) as network:
        (red,) = network.projects
        inside = ("nsenter", f"--net=/run/netns/{red.namespace}")
        subprocess.run([*inside, "ip", "link", "set", "lo", "up"], check=True)
        stored = ("--listen", "127.0.0.1:9699", "--database", f"sqlite:///{tmp_path}/venturi.db", "--spool", f"{tmp_path}/spool.db")
        with _running([*inside, *VENTURI, "up", "--driver", "nftables", "--host", "h", *stored]):
            ask = [*inside, *VENTURI, "usage", "--url", "http://127.0.0.1:9699", "--totals", "-f", "json"]
            _await(lambda: subprocess.run([*inside, "nft", "list", "tables"], capture_output=True, text=True, check=True).stdout != "")
            traffic = Traffic([Stream(sender=network.outside, receiver=red, family=4, sizes=(100,), rate=200)])
            traffic.start()
            time.sleep(1)
            traffic.stop()
            sent = sum((counts for _, counts in traffic.sent()), Counts())
            _await(lambda: _ingress(ask) == sent)


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield
        finally:
            process.terminate()
            output, _ = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, output


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(1)


def _ingress(ask: list[str]) -> Counts:
    report = json.loads(subprocess.run(ask, capture_output=True, text=True, check=True).stdout)
    rows = [row for interval in report["intervals"] for row in interval["usage"] if row["direction"] == "ingress"]
    return sum((Counts(row["packets"], row["octets"]) for row in rows), Counts())
