"""The demonstration: a router with projects behind it, real traffic, and what is metered of it beside what was sent.

Owns its projects, their labels and streams, its course and its table. Server and agent run as they always do; what is shown is asked of
the server's API.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from venturi.adapters.client.collections import LABELS, POINTS
from venturi.adapters.client.resources import Resources
from venturi.adapters.ending import Ending
from venturi.adapters.laboratory.network import UPLINK, LaboratoryHost, LaboratoryNetwork
from venturi.adapters.laboratory.traffic import Stream, Traffic
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import LedgerError, ServerError
from venturi.core.domain.point import PointKind
from venturi.interfaces.render.quantities import Units, format_count, format_octets
from venturi.interfaces.render.ruled_box import RULED

DEMO_HOST = "demo"
"""The host whose plan the demonstration's agent follows."""

PROJECTS = ("red", "green", "blue")
"""The projects behind the router, each with a label of its name."""

Account = tuple[str, Direction]
"""A label by its name, and a direction."""

_SIZES = {"red": (1400,), "green": (64, 512, 1400), "blue": (1, 200)}
_RATES = {"red": 400, "green": 200, "blue": 600}
_NUMBERS = ("packets sent", "packets metered", "octets sent", "octets metered")
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 30.0
_QUERY = (("resolution", "total"), ("group_by", "label,direction"))


def _streams(network: LaboratoryNetwork) -> list[Stream]:
    """Have each project send and receive, by both families, packets of its own sizes and rate."""
    ways = [way for host in network.projects for way in ((host, host, network.outside), (host, network.outside, host))]
    return [
        Stream(sender=sender, receiver=receiver, family=family, sizes=_SIZES[host.name], rate=_RATES[host.name] // family)
        for host, sender, receiver in ways
        for family in (4, 6)
    ]


def _rules(host: LaboratoryHost) -> list[dict[str, object]]:
    """Give the rules by which a label counts all that a project's host sends and receives."""
    prefixes = (str(host.prefix_v4), str(host.prefix_v6))
    sending: list[dict[str, object]] = [{"direction": Direction.EGRESS, "source_ip_prefix": prefix} for prefix in prefixes]
    return sending + [{"direction": Direction.INGRESS, "destination_ip_prefix": prefix} for prefix in prefixes]


def _sum_sent(sent: Sequence[tuple[Stream, Counts]], outside: LaboratoryHost) -> Mapping[Account, Counts]:
    """Sum what streams have sent by the label that counts it."""
    sums: defaultdict[Account, Counts] = defaultdict(Counts)
    for stream, counts in sent:
        account = (stream.sender.name, Direction.EGRESS) if stream.receiver == outside else (stream.receiver.name, Direction.INGRESS)
        sums[account] += counts
    return sums


def _table(sent: Mapping[Account, Counts], metered: Mapping[Account, Counts], title: str) -> Table:
    """Make the table; what is equal to the octet is marked."""
    table = Table(title=title, title_justify="left", title_style="", box=RULED, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for heading in ("label", "direction"):
        table.add_column(heading)
    for heading in _NUMBERS:
        table.add_column(heading, justify="right")
    table.add_column("")
    for account in sorted(sent):
        wanted, found = sent[account], metered.get(account, Counts())
        packets = (format_count(wanted.packets), format_count(found.packets))
        octets = (format_octets(wanted.octets, Units.OCTETS), format_octets(found.octets, Units.OCTETS))
        table.add_row(account[0], account[1].value, *packets, *octets, "equal" if wanted == found else "")
    return table


class Demo:
    """One demonstration on a laboratory that is there and a server that answers; ``run`` it beside an agent."""

    def __init__(self, network: LaboratoryNetwork, resources: Resources, console: Console, ending: Ending) -> None:
        self._network = network
        self._resources = resources
        self._console = console
        self._ending = ending
        self._traffic = Traffic(_streams(network))

    def prepare(self) -> None:
        """Tell the server of the uplink, and of a label for each project."""
        place = {"host": DEMO_HOST, "namespace": self._network.router_namespace, "device": UPLINK}
        self._resources.create(POINTS, {"name": UPLINK, "kind": PointKind.INTERFACE, "shared": True, **place})
        for host in self._network.projects:
            label = self._resources.create(LABELS, {"name": host.name, "description": f"All traffic of project {host.name}"})
            self._resources.ask("PUT", f"{LABELS.change_path}/{label['id']}/rules", {"rules": _rules(host)})

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
        return _table(self._sent(), self._metered(), title)

    def _sent(self) -> Mapping[Account, Counts]:
        return _sum_sent(self._traffic.sent(), self._network.outside)

    def _metered(self) -> Mapping[Account, Counts]:
        report: Any = self._resources.ask("GET", "/v1/usage", query=_QUERY)
        rows = [row for interval in report["intervals"] for row in interval["usage"]]
        return {(row["label_name"], Direction(row["direction"])): Counts(row["packets"], row["octets"]) for row in rows}
