"""Agents of one version and servers of another: plans are followed, usage arrives once, and spools are taken over, either way."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.delivery.delivering import delivering, wait_for
from tests.delivery.posting_ledger import Fault, PostingLedger, posting_ledger
from tests.spool.building import BEGIN, CLASSIFIER, READING, interval_of, open_spool, recording_of, spooled_generation
from tests.support.agent.process import SECONDS, AgentFiles, running_agent
from tests.support.kernel.router import OUTER, Router, running_router
from tests.support.server import ServerProcess, running_server
from tests.support.sources import ROOT
from tests.support.tools import needs
from tests.support.versions import Version, earlier_versions, require_version, run_command
from venturi.adapters.spool.values import Recording
from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.ledger.batch import DirectionTotals, ProjectUsage, UsageRow, encode_batch
from venturi.services.agent.delivery.state import DeliveryPhase

PRESENT = sys.executable
TEN = Passage(Direction.EGRESS, 4, 0x0A000001, 0xC6330001)
GENERATION = f"{1:032x}"
_PROJECTS_KNOWN = "befc9aa487bf225d"
WITHOUT_PROJECTS = [each for each in earlier_versions() if each.values[0].forms["batch"] != _PROJECTS_KNOWN]
"""The versions whose batches tell nothing of projects, by the digest of the form that does."""


class Side(NamedTuple):
    """A version: its interpreter, and its source."""

    python: str
    source: Path


class Pair(NamedTuple):
    """Two versions that work together; of an agent's, ``first`` comes before ``then``."""

    first: Side
    then: Side


@pytest.fixture(params=["earlier, then present", "present, then earlier"])
def pair(request: pytest.FixtureRequest, version: Version) -> Pair:  # noqa: PLR0206 - a fixture is no property
    """An earlier version and the present one, and the other way around."""
    sides = (Side(version.python, version.source), Side(PRESENT, ROOT))
    return Pair(*sides) if request.param.startswith("earlier") else Pair(*reversed(sides))


def test_a_spool_is_taken_over_and_every_reading_arrives_once(pair: Pair, tmp_path: Path) -> None:
    """What is sealed, what waits and the last totals: all that one version left is delivered by the other."""
    with posting_ledger(refused={3: Fault.BUSY}) as ledger:
        with subprocess.Popen(_metering(pair.first, tmp_path, ledger.url, 1 << 40), cwd=pair.first.source) as agent:
            wait_for(lambda: len([request for request in ledger.requests if request.startswith("POST")]) > 3)
            agent.kill()
        ledger.refused.clear()
        subprocess.run(_metering(pair.then, tmp_path, ledger.url, 20), cwd=pair.then.source, check=True, timeout=60)
        readings = _readings(ledger)
    assert readings == list(range(1, len(readings) + 1))
    assert len(readings) > 23


def _metering(side: Side, folder: Path, url: str, readings: int) -> list[str]:
    """Record readings and deliver them, by the code of a version."""
    return [side.python, "-m", "tests.delivery.metering", str(folder / "spool.db"), url, str(readings)]


def _readings(ledger: PostingLedger) -> list[int]:
    """List the readings that arrived, by number."""
    return sorted((interval.end - BEGIN) // READING for batch in ledger.batches() for interval in batch.intervals)


def test_what_an_agent_delivers_is_posted_by_the_other_server(pair: Pair, tmp_path: Path) -> None:
    with running_server(tmp_path, python=pair.then.python) as server:
        subprocess.run(_metering(pair.first, tmp_path, server.url, 20), cwd=pair.first.source, check=True, timeout=60)
        (spool,) = server.request("GET", "/v1/spools").json()["spools"]
    assert (spool["agent_id"], spool["missing"], spool["conflicts"]) == ("agent-1", [], 0)
    assert spool["highest"] > 0
    run_command(PRESENT, "db", "upgrade", "--database", server.database)
    run_command(PRESENT, "ledger", "verify", "--database", server.database)


def test_a_word_that_an_earlier_server_does_not_know_costs_no_batch(version: Version, tmp_path: Path) -> None:
    """The agent is upgraded before the server: its batch waits until the server is, too, and the others go on."""
    spool = open_spool(tmp_path / "spool.db", batch_rows=1)
    spool.enter(spooled_generation(spool), CLASSIFIER)
    unknown = interval_of(2, coverage="gap", reason="a_reason_to_come", totals=[], usage=[])
    for recording in (recording_of(1, GENERATION), Recording(moment=recording_of(2, GENERATION).moment, intervals=[unknown])):
        spool.record(recording)
    spool.record(recording_of(3, GENERATION))
    with running_server(tmp_path, python=version.python) as server, delivering(spool, server.url, refusal_patience=0.1) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.INCOMPLETE)
        assert delivery.state.refused == (2,)
        assert "a_reason_to_come" in delivery.state.problem
        assert server.request("GET", f"/v1/spools/{spool.spool_id}").json()["missing"] == [[2, 2]]
    assert spool.undelivered(3) == [2]
    with posting_ledger() as upgraded, delivering(spool, upgraded.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert 2 in upgraded.posted[spool.spool_id]
    spool.stop()


@pytest.mark.parametrize("version", WITHOUT_PROJECTS)
def test_what_hundreds_of_projects_used_passes_an_earlier_server(version: Version, tmp_path: Path) -> None:
    """It measures a batch value by value, and refuses one with more values than it knows of; it knows nothing of projects."""
    require_version(version)
    used = [ProjectUsage(f"project {number}", 0, 1, 100, 0, 0) for number in range(500)]
    spool = open_spool(tmp_path / "spool.db")
    spool.enter(spooled_generation(spool), CLASSIFIER)
    totals = [DirectionTotals(0, 1, 100, several_packets=1, several_octets=100)]
    parted = interval_of(2, totals=totals, usage=[UsageRow(0, 0, 1, 100)], project_usage=encode_batch(used))
    spool.record(Recording(moment=recording_of(2, GENERATION).moment, intervals=[parted]))
    with running_server(tmp_path, python=version.python) as server, delivering(spool, server.url) as delivery:
        wait_for(lambda: delivery.state.phase is DeliveryPhase.IDLE)
        assert delivery.state.problem == ""
        assert server.request("GET", f"/v1/spools/{spool.spool_id}").json()["highest"] == 1
    spool.stop()


@pytest.fixture
def router() -> Iterator[Router]:
    """A router in namespaces of its own."""
    with running_router() as running:
        yield running


@pytest.fixture
def files(tmp_path: Path) -> AgentFiles:
    """The files of an agent that counts by nftables and reports each second."""
    files = AgentFiles(tmp_path, "nftables")
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    return files


@pytest.mark.root
@needs("ip", "nft")
def test_an_agent_meters_by_the_plan_of_the_other_server(pair: Pair, router: Router, files: AgentFiles) -> None:
    files.python = pair.first.python
    with running_server(files.folder, python=pair.then.python) as server, running_agent(files, ("--server", server.url)) as agent:
        agent.wait_for_log("plan")
        _make_plan(server, router)
        agent.wait_for_log("metering")
        router.send([TEN] * 7, [100] * 7)
        _wait(lambda: _counted(server) == 7)
        assert json.loads(run_command(pair.first.python, "agent", "status", "--spool", str(files.spool), "-f", "json"))["problem"] == ""
        assert agent.stop() == 0


@pytest.mark.root
@needs("ip", "nft")
def test_an_agent_and_its_server_are_exchanged_for_another_version(pair: Pair, router: Router, files: AgentFiles) -> None:
    """What passes while neither runs, and what the agent before recorded without its server, counts once."""
    files.python = pair.first.python
    with ExitStack() as first:
        with running_server(files.folder, python=pair.first.python) as server:
            agent = first.enter_context(running_agent(files, ("--server", server.url)))
            agent.wait_for_log("plan")
            _make_plan(server, router)
            agent.wait_for_log("metering")
        router.send([TEN] * 7, [100] * 7)
        waiting = _waiting_intervals(files)
        _wait(lambda: _waiting_intervals(files) > waiting + 1)
        agent.kill()
    router.send([TEN] * 5, [100] * 5)
    files.python = pair.then.python
    # A database that was upgraded is not taken back, so the server that follows is the present one.
    with running_server(files.folder) as server, running_agent(files, ("--server", server.url)) as agent:
        agent.wait_for_log("plan")
        router.send([TEN] * 3, [100] * 3)
        _wait(lambda: _counted(server) >= 15)
        assert agent.stop() == 0
        assert _counted(server) == 15
    run_command(PRESENT, "ledger", "verify", "--database", server.database)


def _waiting_intervals(files: AgentFiles) -> int:
    """Count what the agent has recorded without a server."""
    spool = files.status().get("spool")
    return spool["waiting_intervals"] if isinstance(spool, dict) else 0


def _make_plan(server: ServerProcess, router: Router) -> None:
    label = server.request("POST", "/v2.0/metering/metering-labels", form={"metering_label": {"name": "ten", "shared": True}}).json()
    rule = {"metering_label_id": label["metering_label"]["id"], "direction": "egress", "source_ip_prefix": "10.0.0.0/8"}
    assert server.request("POST", "/v2.0/metering/metering-label-rules", form={"metering_label_rule": rule}).status == 201
    place = {"kind": "interface", "host": "h", "namespace": router.namespace, "device": OUTER}
    assert server.request("POST", "/v1/observation-points", form={"name": "uplink", "shared": True, **place}).status == 201


def _counted(server: ServerProcess) -> int:
    """Ask for the packets of the last hours."""
    start, end = (time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() + seconds)) for seconds in (-7200, 7200))
    answer = server.request("GET", f"/v1/usage?from={start}&to={end}").json()
    return sum(row["packets"] for interval in answer["intervals"] for row in interval["usage"])


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.2)
