"""A small cloud that is broken on purpose: a router with traffic of known amount, an agent, a server, its database, and a network between.

Owns the parts and what can be done to each. What is done when is for ``faults``, what must hold afterwards for ``verdict``.
"""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from tests.support.fault.database import FaultDatabase
from tests.support.fault.disk import Disk
from tests.support.fault.hostile import HostileAgent
from tests.support.fault.processes import Restarted
from tests.support.fault.rule_changes import PASSING, Prefix, RuleChanges, rules_of
from tests.support.fault.timeline import Timeline, label_name
from tests.support.unruly_network import UnrulyNetwork
from venturi.adapters.laboratory.network import UPLINK, LaboratoryNetwork
from venturi.adapters.laboratory.traffic import Stream, Traffic

HOST = "laboratory"
PROJECTS = ("red", "green", "blue")

_SECONDS = 60.0
_SIZES = (1, 200, 1000, 1400)
_RATE = 100


@dataclass(frozen=True, kw_only=True)
class WorldParts:
    """What a world is made of: ``name`` begins the names of namespaces, ``home`` holds its disks, ``seed`` decides what the network does.

    ``agent_environment`` are settings of the agent.
    """

    name: str
    logs: Path
    home: Path
    driver: str
    agent_environment: Mapping[str, str]
    agent_disk: Disk
    server_disk: Disk
    database: FaultDatabase
    seed: int


class FaultWorld:
    """Everything together; ``start`` and ``stop`` it. ``label_ids`` are the ids of the labels of the traffic by their names."""

    def __init__(self, parts: WorldParts) -> None:
        self.parts = parts
        self.network = LaboratoryNetwork(parts.name, PROJECTS)
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.relay = UnrulyNetwork(lambda: self.url, parts.seed)
        self.label_ids: dict[str, str] = {}
        self._prefixes: dict[str, Prefix] = {}
        self._uplink_id = ""
        server = self._command("serve", "--listen", self.url[7:], "--database", parts.database.url)
        self.server = Restarted(server, parts.logs / "server.log")
        agent = self._command("agent", "--server", self.relay.url, "--driver", parts.driver, "--host", HOST, "--spool", str(self.spool))
        self.agent = Restarted(agent, parts.logs / "agent.log", parts.agent_environment)
        self.traffic = Traffic(_streams(self.network))
        self.timeline = Timeline(self.traffic, self.network.outside.name)
        self.rule_changes = RuleChanges(self.ask, self._prefixes, parts.seed)
        self.restored = False
        self.hostile = HostileAgent(lambda: self.url, self.label_ids)

    @property
    def spool(self) -> Path:
        """The file of the agent's spool."""
        return self.parts.agent_disk.folder / "spool.db"

    @property
    def kills(self) -> int:
        """How many times agent, server and database were killed."""
        return self.agent.kills + self.server.kills + self.parts.database.kills

    def start(self) -> None:
        """Run everything, and begin to send once the uplink is metered."""
        self.network.start()
        self.parts.database.begin()
        self._command_to_end("db", "upgrade", "--database", self.parts.database.url)
        self.await_server()
        passing_id = self._describe()
        self.relay.__enter__()
        self.agent.begin()
        self._await_log(self.agent.log, '"event":"metering"')
        self.timeline.start()
        self.traffic.start()
        self.rule_changes.start(passing_id)
        self.hostile.start(self._uplink_id)

    def send_no_more(self) -> None:
        """Stop the traffic and the changes of rules."""
        self.hostile.stop()
        self.rule_changes.stop()
        self.traffic.stop()
        self.timeline.stop()

    def stop(self) -> None:
        """End what runs and remove what was made."""
        self.send_no_more()
        self.agent.kill()
        self.relay.__exit__()
        self.server.kill()
        self.parts.database.kill()
        self.network.stop()

    def ask(self, method: str, path: str, form: object = None) -> Any:  # noqa: ANN401 - JSON
        """Ask the server, past the unruly network; raises ``HTTPError`` while there is none."""
        with urllib3.PoolManager(retries=False, timeout=20.0) as pool:
            answer = pool.request(method, self.url + path, json=form)
            if answer.status >= 300:
                raise HTTPError(answer.data)
            return answer.json() if answer.data else None

    def await_server(self) -> None:
        """Wait until the server is ready; begin it again where it ended because the database was away, as a service manager does."""
        deadline = time.monotonic() + _SECONDS
        while True:
            self.server.begin()
            try:
                self.ask("GET", "/healthz/ready")
            except HTTPError:
                assert time.monotonic() < deadline, self.server.log.read_text(encoding="utf-8")
                time.sleep(0.05)
            else:
                return

    def lose_spool(self) -> None:
        """Kill the agent and remove its spool."""
        self.agent.kill()
        for part in self._spool_parts():
            part.unlink()
        self.agent.begin()

    def keep_spool(self) -> None:
        """Kill the agent and keep a copy of its spool as it is now."""
        self.agent.kill()
        shutil.rmtree(self._spool_copies, ignore_errors=True)
        self._spool_copies.mkdir()
        for part in self._spool_parts():
            shutil.copy2(part, self._spool_copies / part.name)
        self.agent.begin()

    def roll_back_spool(self) -> bool:
        """Kill the agent and put the copy of its spool in place; False where there is none."""
        if not self._spool_copies.exists():
            return False
        self.agent.kill()
        for part in self._spool_parts():
            part.unlink()
        for part in self._spool_copies.iterdir():
            shutil.copy2(part, self.parts.agent_disk.folder / part.name)
        self.agent.begin()
        return True

    def verify_ledger(self) -> None:
        """Have the ledger verified; the server must not run."""
        self._command_to_end("ledger", "verify", "--database", self.parts.database.url)

    @property
    def _spool_copies(self) -> Path:
        return self.parts.home / "spool-copies"

    def _spool_parts(self) -> list[Path]:
        return [part for part in self.spool.parent.glob(f"{self.spool.name}*") if not part.name.endswith((".plan", ".status"))]

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "venturi", *arguments, "--log-form", "json"]

    def _command_to_end(self, *arguments: str) -> None:
        done = subprocess.run([sys.executable, "-m", "venturi", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def _describe(self) -> str:
        """Tell the server of the uplink and of a label for each project and family, and give the id of another that counts nothing."""
        point = {"name": UPLINK, "kind": "interface", "shared": True, "host": HOST, "device": UPLINK}
        made = self.ask("POST", "/v1/observation-points", {**point, "namespace": self.network.router_namespace})
        self._uplink_id = str(made["id"])
        for host in self.network.projects:
            for family, prefix in ((4, host.prefix_v4), (6, host.prefix_v6)):
                name = label_name(host.name, family)
                label_id = self.label_ids[name] = self._create_label(name)
                self._prefixes[label_id] = prefix
                self.ask("PUT", f"/v1/labels/{label_id}/rules", rules_of([prefix]))
        return self._create_label(PASSING)

    def _create_label(self, name: str) -> str:
        created = self.ask("POST", "/v2.0/metering/metering-labels", {"metering_label": {"name": name}})
        return str(created["metering_label"]["id"])

    def _await_log(self, log: Path, sign: str) -> None:
        deadline = time.monotonic() + _SECONDS
        while sign not in log.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.05)


def _streams(network: LaboratoryNetwork) -> list[Stream]:
    pairs = [pair for host in network.projects for pair in ((host, network.outside), (network.outside, host))]
    return [
        Stream(sender=sender, receiver=receiver, family=family, sizes=_SIZES, rate=_RATE) for sender, receiver in pairs for family in (4, 6)
    ]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
