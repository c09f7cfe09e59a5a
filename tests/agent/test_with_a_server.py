"""An agent and a real server: the plan is followed, and what was recorded arrives."""

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.agent.process import SECONDS, AgentFiles, running_agent
from tests.support.databases import open_store
from tests.support.kernel.router import OUTER, Router
from tests.support.server import ServerProcess, running_server
from tests.support.tools import needs
from venturi.adapters.store.ledger.told import Claim, ToldMemory, ToldRecord
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_GENERATIONS,
    LEDGER_INTERVALS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_POINT_VERSIONS,
    LEDGER_USAGE,
)
from venturi.adapters.store.store import StoreReader
from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.ledger.trust import HeldReason

pytestmark = [pytest.mark.root, needs("ip", "nft")]

TEN = Passage(Direction.EGRESS, 4, 0x0A000001, 0xC6330001)


def make_plan(server: ServerProcess, router: Router) -> None:
    label = server.request("POST", "/v2.0/metering/metering-labels", form={"metering_label": {"name": "ten"}}).json()
    rule = {"metering_label_id": label["metering_label"]["id"], "direction": "egress", "source_ip_prefix": "10.0.0.0/8"}
    assert server.request("POST", "/v2.0/metering/metering-label-rules", form={"metering_label_rule": rule}).status == 201
    place = {"kind": "interface", "host": "h", "namespace": router.namespace, "device": OUTER}
    point = {"name": "uplink", "shared": True, **place}
    assert server.request("POST", "/v1/observation-points", form=point).status == 201


def counted(server: ServerProcess) -> int:
    """Ask for the packets of the last hours."""
    start, end = (time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() + seconds)) for seconds in (-7200, 7200))
    answer = server.request("GET", f"/v1/usage?from={start}&to={end}").json()
    return sum(row["packets"] for interval in answer["intervals"] for row in interval["usage"])


def wait_for_agent(server: ServerProcess, state: str) -> dict[str, Any]:
    """Give what the server knows of the agent, once it is in a state and its last thread has begun."""
    deadline = time.monotonic() + SECONDS
    while (found := server.request("GET", "/v1/agents/h").json()).get("state") != state or "plan" not in found["threads"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return dict(found)


def test_usage_arrives_at_the_ledger(router: Router, tmp_path: Path) -> None:
    files = AgentFiles(tmp_path, "nftables")
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    with running_server(tmp_path) as server, running_agent(files, source=("--server", server.url)) as agent:
        agent.wait_for_log("plan")
        make_plan(server, router)
        agent.wait_for_log("metering")
        router.send([TEN] * 7, [100] * 7)
        deadline = time.monotonic() + SECONDS
        while counted(server) < 7 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert counted(server) == 7
        assert files.status()["problem"] == ""
        assert files.status()["threads"] == {"delivery": "running", "metering": "running", "plan": "running", "status": "running"}
        told = wait_for_agent(server, "reporting")
        assert (told["host"], told["driver"], told["threads"]["plan"]) == ("h", "nftables", "running")
        assert told["last_posted_at"] is not None
        assert what_projects_used(server) == {(label_project(server), 7, 7)}
        assert abs(told["clock_offset_seconds"] or 0.0) < 5
        assert agent.stop() == 0
        wait_for_agent(server, "stopped")


def label_project(server: ServerProcess) -> str:
    """Give the project of the only label."""
    return str(server.request("GET", "/v1/labels").json()["labels"][0]["project_id"])


def what_projects_used(server: ServerProcess) -> set[tuple[object, ...]]:
    """Give the project, packets and packets alone of each project's usage of any packets, as the API lists entries."""
    used: dict[str, list[int]] = {}
    for posting in server.request("GET", "/v1/postings").json()["postings"]:
        for entry in server.request("GET", f"/v1/postings/{posting['number']}").json()["page"]:
            if entry["kind"] == "project_usage":
                sums = used.setdefault(entry["project_id"], [0, 0])
                sums[0], sums[1] = sums[0] + entry["packets"], sums[1] + entry["alone_packets"]
    return {(project, *sums) for project, sums in used.items()}


def read_claims(reader: StoreReader) -> list[Claim]:
    """Give what each interval of the ledger says it was counted by."""
    metered = reader.connection.execute(
        select(LEDGER_INTERVALS, LEDGER_POINT_VERSIONS.c.point_id, LEDGER_GENERATIONS.c.classifier, LEDGER_GENERATIONS.c.revision)
        .join(LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.c.id == LEDGER_INTERVALS.c.point_version)
        .join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == LEDGER_INTERVALS.c.generation)
        .order_by(LEDGER_INTERVALS.c.end_at)
    ).all()
    used = reader.connection.execute(
        select(LEDGER_USAGE.c.posting, LEDGER_USAGE.c.interval_ordinal, LEDGER_LABEL_VERSIONS.c.label_id).join(
            LEDGER_LABEL_VERSIONS, LEDGER_LABEL_VERSIONS.c.id == LEDGER_USAGE.c.label_version
        )
    ).all()
    labels = {row: {label for *place, label in used if tuple(place) == (row.posting, row.ordinal)} for row in metered}
    return [
        Claim(
            point_id=row.point_id,
            classifier=row.classifier,
            revision=row.revision,
            label_ids=frozenset(labels[row]),
            counted=bool(labels[row]),
            end=row.end_at,
        )
        for row in metered
    ]


def test_what_an_agent_posts_is_what_its_host_was_told(router: Router, tmp_path: Path) -> None:
    files = AgentFiles(tmp_path, "nftables")
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    with running_server(tmp_path) as server, running_agent(files, source=("--server", server.url)) as agent:
        make_plan(server, router)
        agent.wait_for_log("metering")
        router.send([TEN] * 3, [100] * 3)
        label = server.request("GET", "/v1/labels").json()["labels"][0]["id"]
        server.request("PATCH", f"/v1/labels/{label}", form={"name": "renamed"})
        rules = [{"direction": "egress", "source_ip_prefix": "10.0.0.0/16"}]
        assert server.request("PUT", f"/v1/labels/{label}/rules", form={"rules": rules}).status == 200
        agent.wait_for_log("metering", times=2)
        router.send([TEN] * 4, [100] * 4)
        deadline = time.monotonic() + SECONDS
        while counted(server) < 7 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert agent.stop() == 0
        point = server.request("GET", "/v1/observation-points").json()["observation_points"][0]["id"]
        for path in (f"/v1/observation-points/{point}", f"/v2.0/metering/metering-labels/{label}"):
            assert server.request("DELETE", path).status == 204
    with open_store(server.database) as store, store.reading() as reader:
        claims = read_claims(reader)
        told = ToldRecord(reader.connection, ToldMemory()).find("h", claims)
        elsewhere = ToldRecord(reader.connection, ToldMemory()).find("h2", claims)
    assert len({claim.revision for claim in claims if claim.counted}) == 2
    assert {found.problem for found in told} == {None}
    assert told[-1].labels[label].name == "renamed"
    assert {found.problem for found in elsewhere} == {HeldReason.UNTOLD_POINT}
