"""What is within the limits, costs more than ``test_endpoints`` allows, and only later work can mend: each by name, with its figure.

``VENTURI_TEST_LATER=1`` measures them anew, which takes some minutes; otherwise they only stand here. A case that is found within its
bounds passes, and is to be moved to ``test_endpoints``.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import urllib3

from tests.support.batches import SpoolOfTests, make_batch_point, make_interval, send_form
from tests.support.measuring import Cost, measured
from tests.support.server import BY_PLAN_FILES, ServerProcess, running_server
from venturi.core.ledger.batch import BatchLabel

LABELS = "/v2.0/metering/metering-labels"
RULES = "/v2.0/metering/metering-label-rules"
COUNT = 100_000
MONTH_LABELS, DAYS, MINUTES_OF_DAY = 10_000, 30, 1440
MOST_SECONDS, MOST_OCTETS, HEALTH_SECONDS = 2.0, 64 << 20, 0.1


@dataclass
class LargeWorld:
    """A server with 100,000 labels of a rule each, and what it cost to create them."""

    server: ServerProcess
    created: Cost
    labels: list[BatchLabel]

    def ask(self, method: str, path: str, body: bytes | None = None) -> Cost:
        """Ask something large, and give what it cost."""
        with measured(self.server) as cost:
            send(self.server, method, path, body)
        return cost


def send(server: ServerProcess, method: str, path: str, body: bytes | None = None) -> bytes:
    """Ask something that may take minutes on a busy machine."""
    with urllib3.PoolManager(retries=False, timeout=900) as pool:
        answer = pool.request(method, server.url + path, body=body)
        assert answer.status < 300, answer.data[:1_000]
        return answer.data


def make(server: ServerProcess, path: str, form: object) -> bytes:
    """Create something."""
    return send(server, "POST", path, json.dumps(form).encode())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LargeWorld]:
    """The server, filled."""
    with running_server(tmp_path_factory.mktemp("later"), config=BY_PLAN_FILES) as server:
        form = {"metering_labels": [{"name": f"label {number}"} for number in range(COUNT)]}
        with measured(server) as cost:
            answer = make(server, LABELS, form)
        ids = [label["id"] for label in json.loads(answer)["metering_labels"]]
        rules = [
            {
                "metering_label_id": label,
                "direction": "ingress",
                "remote_ip_prefix": f"{10 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/24",
            }
            for number, label in enumerate(ids)
        ]
        make(server, RULES, {"metering_label_rules": rules})
        point = {"name": "uplink", "kind": "interface", "shared": True, "host": "edge-1", "device": "eth0"}
        make(server, "/v1/observation-points", point)
        yield LargeWorld(server, cost, [BatchLabel(identity, f"label {number}", "default", False) for number, identity in enumerate(ids)])


def _batch(world: LargeWorld) -> Cost:
    usage = [(label, 0, 10, 1_000) for label in range(COUNT)]
    return world.ask("POST", "/v1/batches", send_form(SpoolOfTests(labels=world.labels).seal(make_interval(0, usage=usage))))


def _month(world: LargeWorld) -> Cost:
    spool = SpoolOfTests(labels=world.labels[:MONTH_LABELS], points=[make_batch_point(project_id="default", shared=True)])
    usage = [(label, 0, 10, 1_000) for label in range(MONTH_LABELS)]
    for day in range(DAYS):
        world.ask("POST", "/v1/batches", send_form(spool.seal(make_interval(1 + day * MINUTES_OF_DAY, usage=usage, place="eth1"))))
    while json.loads(send(world.server, "GET", "/healthz/ready"))["tail"]["postings"]:
        time.sleep(0.2)  # what the roller takes is not the report's
    return world.ask("GET", "/v1/usage?from=2026-01-01T00:00:00Z&to=2026-01-31T00:00:00Z&resolution=1d&group_by=label,direction")


LATER: dict[str, tuple[Callable[[LargeWorld], Cost], str]] = {
    "a request that creates 100,000 labels": (
        lambda world: world.created,
        "6.6 s of processor time, 136 MiB, health kept waiting for 67 ms; managers only",
    ),
    "a plan of 100,000 labels": (
        lambda world: world.ask("GET", "/v1/plans/edge-1"),
        "10.0 s of processor time, 21 MiB, health kept waiting for 96 ms",
    ),
    "a batch of one interval of 100,000 labels": (_batch, "7.9 s of processor time, 59 MiB, health kept waiting for 49 ms"),
    "a report of a month of 10,000 labels by day": (_month, "2.7 s of processor time in pieces, 12 MiB, health kept waiting for 14 ms"),
}
"""What is asked for, and what it took when it was measured last: Python 3.11 on 2 cores that were busy with much else."""

MEASURED = bool(os.environ.get("VENTURI_TEST_LATER"))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", LATER)
def test_what_later_work_mends(name: str, request: pytest.FixtureRequest) -> None:
    ask, figure = LATER[name]
    if not MEASURED:
        pytest.xfail(f"{name}: {figure}")
    cost = ask(request.getfixturevalue("world"))
    assert cost.longest_kept <= HEALTH_SECONDS, cost
    figure = (
        f"{cost.processor_seconds:.1f} s of processor time, {cost.peak_octets / (1 << 20):.0f} MiB, "
        f"health kept waiting for {cost.longest_kept * 1_000:.0f} ms"
    )
    if cost.processor_seconds > MOST_SECONDS or cost.peak_octets > MOST_OCTETS:
        pytest.xfail(f"{name}: {figure}")


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not MEASURED, reason="100,000 labels are listed with VENTURI_TEST_LATER=1 alone")
def test_a_list_of_100000_labels_without_pages_costs_little(world: LargeWorld) -> None:
    cost = world.ask("GET", LABELS)
    assert cost.processor_seconds <= MOST_SECONDS, cost
    assert cost.peak_octets <= MOST_OCTETS, cost
    assert cost.longest_kept <= HEALTH_SECONDS, cost
