"""The control plane: venturi's server beside a real Neutron, asked the same by the same sender.

Owns what is asked, with how many labels there, and the targets.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bench.compare.targets import Results, Target
from bench.control.seeding import BULK, LABELS, RULES, ask, seed_labels
from bench.control.servers import Server, install_neutron, running_neutron, running_venturi
from bench.measure.requests import Request, RequestFigures, measure_requests, median_run
from bench.scale import Scale

CONNECTIONS = (1, 16)

_FEW_LABELS = 500
_LISTED_LABELS = 1_000
_RULES_OF_LABEL = 1_000
_PEER_RULES = 20
_names = count()


@dataclass(frozen=True)
class _Kind:
    """One kind of request: the ``labels`` that are there, the shares of the scale's numbers that are sent, the ratio to Neutron wanted."""

    name: str
    labels: int
    make: Callable[[Sequence[str], int], Request]
    share: float
    peer_share: float
    wanted: float


def _show(identities: Sequence[str], number: int) -> Request:
    return Request("GET", f"{LABELS}/{identities[number % len(identities)]}")


def _create(_identities: Sequence[str], _number: int) -> Request:
    body = json.dumps({"metering_label": {"name": f"measured-{next(_names)}"}}).encode()
    return Request("POST", LABELS, body, 201)


def _list(_identities: Sequence[str], _number: int) -> Request:
    return Request("GET", LABELS)


# Creating comes last, for it leaves more labels behind.
_KINDS = (
    _Kind(f"list of {_LISTED_LABELS:,} labels", _LISTED_LABELS, _list, 0.25, 1, 200),
    _Kind(f"show, {_FEW_LABELS} labels present", _FEW_LABELS, _show, 1, 10, 10),
    _Kind(f"create, {_FEW_LABELS} labels present", _FEW_LABELS, _create, 1, 1, 100),
)


def compare_control(scale: Scale, runs: int) -> Results:
    """Measure all kinds of requests, ours ``runs`` times and Neutron's once, and our server alone with many labels and rules."""
    results = Results()
    python = install_neutron()
    if python is None:
        results.remarks.append("Neutron could not be installed; venturi's server was measured alone.")
    for kind in _KINDS:
        results.extend(_compare_kind(kind, scale, runs, python))
    results.extend(_compare_bulk(scale, python))
    results.extend(_fill(scale, runs))
    results.remarks.append(f"The sender of requests came to {_measure_sender(scale):,.0f} a second at a server that does nothing.")
    return results


def _compare_kind(kind: _Kind, scale: Scale, runs: int, python: Path | None) -> Results:
    results = Results()
    with _servers(python) as servers:
        seeded = {server.name: seed_labels(server, kind.labels) for server in servers}
        for connections in CONNECTIONS:
            ours = _measure_kind(kind, servers[0], seeded, connections, [math.ceil(scale.requests * kind.share)] * runs)
            results.requests.append(ours)
            for peer in servers[1:]:
                theirs = _measure_kind(kind, peer, seeded, connections, [math.ceil(scale.peer_requests * kind.peer_share)])
                results.requests.append(theirs)
                claim = f"{kind.name}, {connections} at a time: against Neutron"
                results.targets.append(Target(claim, ours.rate / theirs.rate, kind.wanted))
    return results


def _measure_kind(kind: _Kind, server: Server, seeded: dict[str, list[str]], connections: int, amounts: Sequence[int]) -> RequestFigures:
    """Ask a little for nothing, so that the server has loaded and opened what it needs; then measure."""
    name = f"{server.name}, {kind.name}"
    measure_requests(name, server.port, [_show(seeded[server.name], 0)] * connections, connections)
    measure_requests(name, server.port, [kind.make(seeded[server.name], 0)], 1)
    runs = []
    for amount in amounts:
        requests = [kind.make(seeded[server.name], number) for number in range(amount)]
        runs.append(measure_requests(name, server.port, requests, connections))
    return median_run(runs)


def _compare_bulk(scale: Scale, python: Path | None) -> Results:
    results = Results()
    with _servers(python) as servers:
        for server, rules in zip(servers, (scale.bulk_rules, _PEER_RULES), strict=False):
            rate, peak = _create_rules(server, rules), server.peak_octets() / 1e6
            results.remarks.append(
                f"{server.name} created {rules:,} rules in bulk at {rate:,.0f} a second, and held {peak:.0f} MB at most."
            )
    return results


def _fill(scale: Scale, runs: int) -> Results:
    """Create labels where there are few and, by turns, where there are many: it must not take longer, and memory must stay in bounds."""
    results = Results()
    with ExitStack() as stack:
        few, many = (stack.enter_context(running_venturi(Path(stack.enter_context(tempfile.TemporaryDirectory())))) for _ in range(2))
        present = {few: seed_labels(few, _FEW_LABELS), many: seed_labels(many, scale.many_labels)}
        turns = [[_measure_creating(server, seeded, scale) for server, seeded in present.items()] for _ in range(runs)]
        at_few, at_many = (median_run(measured) for measured in zip(*turns, strict=True))
        results.requests += [at_few, at_many]
        claim = f"create, {scale.many_labels:,} labels present: against {_FEW_LABELS}"
        results.targets.append(Target(claim, at_many.rate / at_few.rate, 0.8))
        results.targets.append(Target("memory of venturi's server, with them", many.resident_octets() / 1e6, 120, " MB", at_most=True))
        results.remarks.append(f"It held {many.peak_octets() / 1e6:.0f} MB at most, while it took {BULK:,} labels in one request.")
    return results


def _measure_creating(server: Server, seeded: Sequence[str], scale: Scale) -> RequestFigures:
    kind = _Kind(f"create after {len(seeded):,} labels", len(seeded), _create, 1, 1, 1)
    return _measure_kind(kind, server, {server.name: list(seeded)}, 1, [scale.requests])


def _create_rules(server: Server, amount: int) -> float:
    """Create rules of distinct prefixes, at most a thousand to a label; give how many a second."""
    identities = seed_labels(server, math.ceil(amount / _RULES_OF_LABEL))
    forms = [
        {
            "metering_label_id": identities[number // _RULES_OF_LABEL],
            "direction": "ingress",
            "remote_ip_prefix": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32",
        }
        for number in range(amount)
    ]
    began = time.perf_counter()
    for start in range(0, amount, BULK):
        ask(server, "POST", RULES, {"metering_label_rules": forms[start : start + BULK]})
    return amount / (time.perf_counter() - began)


def _measure_sender(scale: Scale) -> float:
    command = [sys.executable, "-m", "bench.measure.bare_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int((process.stdout and process.stdout.readline()) or 0)
            return measure_requests("sender", port, [Request("GET", "/")] * (scale.requests * 10), CONNECTIONS[-1]).rate
        finally:
            process.kill()


@contextmanager
def _servers(python: Path | None) -> Iterator[list[Server]]:
    """Run venturi's server and, if it is there, Neutron: both empty."""
    with ExitStack() as stack:
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        servers = [stack.enter_context(running_venturi(folders[0]))]
        if python is not None:
            servers.append(stack.enter_context(running_neutron(python, folders[1])))
        yield servers
