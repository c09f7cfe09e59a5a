"""What the page of the agent says, and what the agent loads."""

import re
import subprocess
import sys

from tests.support.sources import DOCS
from venturi.interfaces.agent.metrics import AgentMetrics
from venturi.services.agent.observing import AgentAlarm
from venturi.services.agent.status import AgentStatus, PlaceStatus, SpoolStatus

PAGE = (DOCS / "agent.md").read_text(encoding="utf-8")
STATUS = AgentStatus(
    agent_id="a",
    host="h",
    version="0",
    process=1,
    told_by="",
    running=True,
    driver="memory",
    written_at=1,
    plan_revision=1,
    places=[
        PlaceStatus(
            point_id="p",
            point="Uplink",
            place="eth0",
            gap="",
            bypassed=False,
            generation="",
            classifier="",
            known_until=1,
            bad_ip_headers=7,
        )
    ],
    spool=SpoolStatus(id="s", octets=1, limit=2, waiting_intervals=0, unacknowledged_batches=0, pressure="none"),
    delivery="idle",
    problem="",
    alarms={"clock_step": 1},
)
LOADED = (
    "import sys, venturi.composition, venturi.interfaces.agent.program, venturi.interfaces.agent.drivers, venturi.interfaces.agent.status;"
    "print([name for name in ('numba', 'llvmlite', 'pyarrow', 'sqlalchemy', 'litestar') if name in sys.modules])"
)


def test_the_page_has_every_metric_with_its_labels() -> None:
    metrics = AgentMetrics()
    metrics.show(STATUS)
    counted = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: {label for sample in metric.samples for label in sample.labels}
        for metric in metrics.collect()
    }
    table = PAGE.partition("| metric |")[2].partition("| alarm |")[0]
    told = {
        name: set(re.findall(r"`(\w+)`", labels)) for name, labels in re.findall(r"^\| `(venturi_\w+)` \|([^|]*)\|", table, re.MULTILINE)
    }
    assert told == counted


def test_the_page_has_every_alarm() -> None:
    table = PAGE.partition("| alarm |")[2].partition("## Rights")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [alarm.value for alarm in AgentAlarm]


def test_the_agent_loads_no_compiler() -> None:
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
