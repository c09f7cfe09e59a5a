"""The demonstration: a router with projects behind it, real traffic, and what is metered of it beside what was sent.

Owns the course of it. Server and agent run as they always do; what is shown is asked of the server's API.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from venturi.adapters.client.collections import LABELS, POINTS
from venturi.adapters.client.resources import Resources
from venturi.adapters.ending import Ending
from venturi.adapters.laboratory.network import UPLINK, LaboratoryNetwork
from venturi.adapters.laboratory.traffic import Traffic
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import LedgerError, ServerError
from venturi.core.domain.point import PointKind
from venturi.interfaces.up.demo_table import demo_table
from venturi.interfaces.up.demo_traffic import Account, demo_rules, demo_streams, sum_sent

DEMO_HOST = "demo"
"""The host whose plan the demonstration's agent follows."""

_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 30.0
_QUERY = (("resolution", "total"), ("group_by", "label,direction"))


class Demo:
    """One demonstration on a laboratory that is there and a server that answers; ``run`` it beside an agent."""

    def __init__(self, network: LaboratoryNetwork, resources: Resources, console: Console, ending: Ending) -> None:
        self._network = network
        self._resources = resources
        self._console = console
        self._ending = ending
        self._traffic = Traffic(demo_streams(network))

    def prepare(self) -> None:
        """Tell the server of the uplink, and of a label for each project."""
        place = {"host": DEMO_HOST, "namespace": self._network.router_namespace, "device": UPLINK}
        self._resources.create(POINTS, {"name": UPLINK, "kind": PointKind.INTERFACE, "shared": True, **place})
        for host in self._network.projects:
            label = self._resources.create(LABELS, {"name": host.name, "description": f"All traffic of project {host.name}"})
            self._resources.ask("PUT", f"{LABELS.change_path}/{label['id']}/rules", {"rules": demo_rules(host)})

    def run(self, seconds: float | None) -> None:
        """Send and show until the time is over, or until stopped; then compare.

        Raises ``ServerError`` where nothing comes to be metered, and ``LedgerError`` where what was metered is not what was sent.
        """
        self._await_metering()
        with ExitStack() as running:
            self._traffic.start()
            running.callback(self._traffic.stop)
            self._show_while_sending(seconds)
        self._compare()

    def _show_while_sending(self, seconds: float | None) -> None:
        deadline = None if seconds is None else time.monotonic() + seconds
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while not self._ending.wait(_LOOK_SECONDS) and (deadline is None or time.monotonic() < deadline):
                live.update(self._table("Metered live; what was sent lately is yet to come"), refresh=self._console.is_terminal)

    def _compare(self) -> None:
        """Wait until the ledger has all that was sent, and show both."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._metered() != self._sent() and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        self._console.print(self._table("Metered, beside what the senders sent"))
        if self._metered() != self._sent():
            message = "what was metered is not what was sent"
            raise LedgerError(message)
        self._console.print("Equal to the octet.")

    def _await_metering(self) -> None:
        """Wait until the first reading is in the ledger."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._resources.ask("GET", "/v1/spools").get("spools"):
            if time.monotonic() > deadline or self._ending.wait(_LOOK_SECONDS / 10):
                message = "the agent does not come to meter the uplink; --verbose shows what it does"
                raise ServerError(message)

    def _table(self, title: str) -> Table:
        return demo_table(self._sent(), self._metered(), title)

    def _sent(self) -> Mapping[Account, Counts]:
        return sum_sent(self._traffic.sent(), self._network.outside)

    def _metered(self) -> Mapping[Account, Counts]:
        report: Any = self._resources.ask("GET", "/v1/usage", query=_QUERY)
        rows = [row for interval in report["intervals"] for row in interval["usage"]]
        return {(row["label_name"], Direction(row["direction"])): Counts(row["packets"], row["octets"]) for row in rows}
