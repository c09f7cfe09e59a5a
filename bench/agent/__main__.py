"""``python -m bench.agent SCALE``: lets an agent meter a router, as root, and prints what it took as JSON.

Owns what is measured in which order. The traffic comes from this process, a burst through all labels each second.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.agent.figures import AGENT_DRIVERS, AgentFigures
from bench.agent.metering import running_agent
from bench.agent.plans import write_plan
from bench.control.seeding import ask
from bench.control.servers import Server, running_venturi
from bench.dataplane.labels import make_labels
from bench.dataplane.routers import running_router
from bench.dataplane.sending import FrameSender
from bench.dataplane.traffic import make_traffic
from bench.measure.processes import ProgramFailedError
from bench.measure.running import RunningProcess
from bench.scale import SCALES
from venturi.core.domain.label import LabelWithRules

_LABELS = 10_000
_FAMILY = 4
_MINUTE = 60
_BURST_SECONDS = 0.05
_PAUSE_SECONDS = 1.0
_DELIVERY_SECONDS = 2 * _MINUTE
_POSTED = "/v1/usage?group_by=&resolution=total"


def main(scale: str) -> None:
    """Measure the agent with each driver."""
    labels = make_labels(_FAMILY, _LABELS)
    figures = [_measure(driver, labels, SCALES[scale].agent_minutes) for driver in AGENT_DRIVERS]
    sys.stdout.buffer.write(msgspec.json.encode(figures))


def _measure(driver: str, labels: Sequence[LabelWithRules], minutes: int) -> AgentFigures:
    """Let an agent begin, measure it, and hold what the ledger has in the end against what was sent."""
    traffic = make_traffic(labels)
    with tempfile.TemporaryDirectory() as name, running_router(f"agent-{driver}") as router:
        folder = Path(name)
        write_plan(folder / "plan.json", router.router, labels)
        with (
            running_venturi(folder) as server,
            running_agent(folder, driver, server.port) as agent,
            FrameSender(router.sender, traffic) as sender,
        ):
            _send(sender, _MINUTE)
            figures = _watch(agent, sender, driver, minutes)
            _wait_until_posted(server, int(traffic.packets_by_label(sender.sent, len(labels)).sum()))
            return figures


def _watch(agent: RunningProcess, sender: FrameSender, driver: str, minutes: int) -> AgentFigures:
    """Measure for whole minutes, in which there are as many reports, once the agent has delivered for the first time."""
    began, before = time.monotonic(), agent.cpu_seconds()
    _send(sender, minutes * _MINUTE)
    cpu, seconds = agent.cpu_seconds() - before, time.monotonic() - began
    return AgentFigures(driver, _LABELS, seconds, cpu, agent.resident_octets(), agent.peak_octets())


def _send(sender: FrameSender, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sender.send(_BURST_SECONDS)
        time.sleep(_PAUSE_SECONDS)


def _wait_until_posted(server: Server, packets: int) -> None:
    """Wait until the ledger has every packet that counts; raise ``ProgramFailedError`` where it does not get them, or gets more."""
    deadline = time.monotonic() + _DELIVERY_SECONDS
    posted = 0
    while time.monotonic() < deadline:
        intervals = ask(server, "GET", _POSTED)["intervals"]
        posted = sum(row["packets"] for interval in intervals for row in interval["usage"])
        if posted == packets:
            return
        time.sleep(_PAUSE_SECONDS)
    message = f"{packets} packets were sent that count, and the ledger has {posted}"
    raise ProgramFailedError(message)


if __name__ == "__main__":
    main(*sys.argv[1:])
