"""Ways in which somebody stops a driver from counting, or takes what it counted, without asking it.

Owns the commands, as an operator or another program would run them. What becomes of the counts is for the tests.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.support.kernel.router import OUTER, Router, run


@dataclass(frozen=True)
class Scene:
    """Where a driver counts: at the outer device of a router, with pins somewhere below a folder."""

    router: Router
    pins: Path

    def in_router(self, *command: str, stdin: str = "") -> str:
        """Run a program in the router's namespace."""
        return run("ip", "netns", "exec", self.router.namespace, *command, stdin=stdin)

    def pin(self, pattern: str) -> Path:
        """Find the one pin of a name."""
        (pin,) = self.pins.rglob(pattern)
        return pin

    def table(self) -> str:
        """Find the one table of venturi."""
        (table,) = re.findall(r"^table inet (\S+)$", self.in_router("nft", "list", "tables"), re.MULTILINE)
        return str(table)

    def names(self, kind: str) -> Sequence[str]:
        """List the sets, maps or chains of the table by name."""
        return re.findall(rf"^\t{kind} (\S+) {{", self.in_router("nft", "list", "table", "inet", self.table()), re.MULTILINE)


Break = Callable[[Scene], None]


class Breakage(NamedTuple):
    """What is done where: with which driver, at which hook, by links or (False) by filters."""

    driver: str
    hook: str
    do: Break
    tcx: bool = True


def _detach(pattern: str) -> Break:
    return lambda scene: _do(run("bpftool", "link", "detach", "pinned", str(scene.pin(pattern))))


def _unpin(pattern: str) -> Break:
    return lambda scene: scene.pin(pattern).unlink()


def _empty_slot(scene: Scene) -> None:
    run("bpftool", "map", "delete", "pinned", str(scene.pin("current")), "key", "0", "0", "0", "0")


def _remove_folder(scene: Scene) -> None:
    run("rm", "-r", *map(str, scene.pins.iterdir()))


def _tc(*words: str) -> Break:
    return lambda scene: _do(scene.in_router("tc", *words))


def _nft(command: str) -> Break:
    return lambda scene: _do(scene.in_router("nft", command.format(table=scene.table())))


def _delete_rule_at_hook(scene: Scene) -> None:
    listed = scene.in_router("nft", "-a", "list", "chain", "inet", scene.table(), "forward")
    handle = re.findall(r"oifname.*# handle (\d+)", listed)[0]
    scene.in_router("nft", "delete", "rule", "inet", scene.table(), "forward", "handle", handle)


def _flush(kind: str, pattern: str) -> Break:
    def flush(scene: Scene) -> None:
        name = next(name for name in scene.names(kind) if re.search(pattern, name))
        scene.in_router("nft", "flush", kind, "inet", scene.table(), name)

    return flush


def _accept_in_class_chain(scene: Scene) -> None:
    name = next(name for name in scene.names("chain") if re.match(r"egress_4_", name))
    scene.in_router("nft", "insert", "rule", "inet", scene.table(), name, "accept")


def _load_anew(scene: Scene) -> None:
    listed = scene.in_router("nft", "list", "ruleset")
    scene.in_router("nft", "flush", "ruleset")
    scene.in_router("nft", "-f", "-", stdin=listed)


def _make_device_anew(scene: Scene) -> None:
    namespace = scene.router.namespace
    run("ip", "-n", namespace, "link", "delete", OUTER)
    run("ip", "-n", namespace, "link", "add", OUTER, "type", "veth", "peer", "name", "other0")


def _do(_: str) -> None:
    """Take no notice of what a program printed."""


PINS = {
    "the link of IPv4 is detached": Breakage("ebpf", "netfilter", _detach("forward_ipv4")),
    "the link of IPv6 is detached": Breakage("ebpf", "netfilter", _detach("forward_ipv6")),
    "the pin of a link is deleted": Breakage("ebpf", "netfilter", _unpin("forward_ipv4")),
    "the slot is emptied": Breakage("ebpf", "netfilter", _empty_slot),
    "the pin of the slot is deleted": Breakage("ebpf", "netfilter", _unpin("current")),
    "the pin of the program that stays is deleted": Breakage("ebpf", "netfilter", _unpin("root")),
    "the pin of the generation's program is deleted": Breakage("ebpf", "netfilter", _unpin("program")),
    "the pin of the counters is deleted": Breakage("ebpf", "netfilter", _unpin("counters")),
    "the record of the generation is deleted": Breakage("ebpf", "netfilter", _unpin("meta")),
    "all pins are deleted": Breakage("ebpf", "netfilter", _remove_folder),
}
TC = {
    "the link inwards is detached": Breakage("ebpf", "tc", _detach("tcx_ingress")),
    "the link outwards is detached": Breakage("ebpf", "tc", _detach("tcx_egress")),
    "the pin of a tcx link is deleted": Breakage("ebpf", "tc", _unpin("tcx_egress")),
    "all pins of tcx are deleted": Breakage("ebpf", "tc", _remove_folder),
    "a filter is deleted": Breakage("ebpf", "tc", _tc("filter", "del", "dev", OUTER, "egress"), tcx=False),
    "the queueing discipline is deleted": Breakage("ebpf", "tc", _tc("qdisc", "del", "dev", OUTER, "clsact"), tcx=False),
}
TABLES = {
    "all rules of the host are flushed": Breakage("nftables", "netfilter", _nft("flush ruleset")),
    "the table is deleted": Breakage("nftables", "netfilter", _nft("delete table inet {table}")),
    "the rules of the table are flushed": Breakage("nftables", "netfilter", _nft("flush table inet {table}")),
    "a rule at the hook is deleted": Breakage("nftables", "netfilter", _delete_rule_at_hook),
    "a rule that accepts is put before": Breakage("nftables", "netfilter", _nft("insert rule inet {table} forward accept")),
    "a rule that accepts is put into a class": Breakage("nftables", "netfilter", _accept_in_class_chain),
    "the table is switched off": Breakage("nftables", "netfilter", _nft("add table inet {table} {{ flags dormant; }}")),
    "a map of classes is emptied": Breakage("nftables", "netfilter", _flush("map", "^jumps_.*_egress_4")),
    "a set that has counted nothing is emptied": Breakage("nftables", "netfilter", _flush("set", "^counts_.*_ingress_6")),
    "all rules are listed, flushed and loaded again": Breakage("nftables", "netfilter", _load_anew),
}
DEVICE = {
    f"the device is made anew, {driver} at {hook}": Breakage(driver, hook, _make_device_anew)
    for driver, hook in (("ebpf", "netfilter"), ("ebpf", "tc"), ("nftables", "netfilter"))
}

BREAKAGES: Mapping[str, Breakage] = {**PINS, **TC, **TABLES, **DEVICE}
"""All of them, by what is done."""
