"""A running agent in a process of its own, at routers of namespaces that a test made.

Owns plan, starting, waiting, ending and what its spool holds afterwards.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from tests.support.kernel.bpf_folder import new_bpf_folder
from tests.support.kernel.router import OUTER, Router
from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.spool import Spool
from venturi.core.ledger.batch import Batch, decode_batch

SECONDS = 20.0


@dataclass
class AgentFiles:
    """Where an agent keeps what it has, and its settings; ``python`` is the interpreter, and so the version of venturi."""

    folder: Path
    driver: str
    python: str = sys.executable

    def __post_init__(self) -> None:
        """Name the files."""
        self.spool = self.folder / "spool.db"
        self.plan = self.folder / "plan.json"
        bpffs = str(new_bpf_folder(f"agent-{self.folder.name}")) if self.driver == "ebpf" else "/sys/fs/bpf"
        self.environment = {**os.environ, "VENTURI_AGENT_BPFFS": bpffs, "VENTURI_AGENT_MEASURE_INTERVAL": "1s"}

    def write_plan(self, router: Router, rules: Mapping[str, str], **changes: str) -> None:
        """Plan to meter the outer device of a router by labels, each with the source prefix that it counts on egress.

        ``changes`` are fields of the point.
        """
        point = {"id": "p1", "name": "Uplink", "project_id": "p", "shared": True, "traffic": "forwarded", "kind": "interface"}
        labels = [{"id": name, "name": name, "project_id": "p", "shared": True} for name in rules]
        planned = [
            {
                "metering_label_id": name,
                "direction": "egress",
                "source_ip_prefix": prefix,
                "destination_ip_prefix": None,
                "excluded": False,
            }
            for name, prefix in rules.items()
        ]
        plan = {
            "version": 1,
            "host": "h",
            "revision": 1,
            "points": [{**point, "namespace": router.namespace, "device": OUTER, "classifier": "c", **changes}],
            "classifiers": [{"digest": "c", "labels": labels, "rules": planned}],
        }
        beside = self.folder / "plan.new"
        beside.write_text(json.dumps(plan), encoding="utf-8")
        beside.replace(self.plan)

    def command(self, *arguments: str) -> list[str]:
        return [self.python, "-m", "venturi", "agent", *arguments]

    def status(self) -> dict[str, object]:
        """Ask for the status; empty where there is none yet."""
        asked = subprocess.run(self.command("status", "--spool", str(self.spool), "-f", "json"), capture_output=True, check=False)
        return dict(json.loads(asked.stdout)) if asked.stdout else {}

    def recorded(self) -> list[Batch]:
        """Seal and give all that the spool holds; the agent is not running."""
        spool = Spool(SpoolConfig(path=self.spool, agent_id="h"), structlog.get_logger())
        spool.start()
        try:
            spool.seal(time.time_ns())
            sealed = [spool.batch(sequence) for sequence in range(1, spool.head().sequence + 1)]
        finally:
            spool.stop()
        return [decode_batch(each.payload) for each in sealed if each is not None]


@dataclass
class AgentProcess:
    """A running ``venturi agent``."""

    process: subprocess.Popen[str]
    log: Path

    def wait_for_log(self, event: str, times: int = 1) -> None:
        """Wait until an event stands in the log so many times."""
        deadline = time.monotonic() + SECONDS
        while self.log.read_text(encoding="utf-8").count(f'"event":"{event}"') < times:
            assert time.monotonic() < deadline, self.log.read_text(encoding="utf-8")
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            time.sleep(0.02)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)


@contextmanager
def running_agent(files: AgentFiles, source: tuple[str, str] | None = None, *more: str) -> Iterator[AgentProcess]:
    """Run the agent by its plan file, or from another ``source``, with ``more`` options, until the end of the block."""
    log = files.folder / f"log-{time.monotonic_ns()}"
    followed = source or ("--plan", str(files.plan))
    options = (*followed, "--spool", str(files.spool), "--driver", files.driver, "--host", "h", "--log-form", "json", *more)
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(files.command(*options), stderr=stream, text=True, env=files.environment)
    agent = AgentProcess(process, log)
    try:
        yield agent
    finally:
        if process.poll() is None:
            agent.kill()
