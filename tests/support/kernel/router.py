"""A router between two networks, all in namespaces of its own, that forwards any packet either way.

Owns namespaces, devices, routes and what passes them. Nothing here meters.
"""

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.support.kernel.frames import SMALLEST_OCTETS, frames_of
from tests.support.kernel.sending import Frames, frame_sender
from venturi.adapters.network.namespaces import inside
from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.prefix import Prefix

INNER, OUTER = "inner0", "outer0"
"""The devices of the router: towards the network within, and towards the one without, which tests meter."""

NETWORKS = {"source": ("198.18.1", "fd76:656e:1:"), "destination": ("198.18.2", "fd76:656e:2:")}
"""Of each end, how its addresses begin: ``.1`` and ``:1`` are the router's, ``.2`` and ``:2`` the host's."""

_MACS = {
    end: {side: bytes([2, 0, 0, number, 0, place]) for place, side in enumerate(("host", "router"))} for number, end in enumerate(NETWORKS)
}
_DEVICES = {"source": INNER, "destination": OUTER}
_SENT_FROM = {Direction.EGRESS: "source", Direction.INGRESS: "destination"}
_PATIENCE_SECONDS = 30
_NOT_FORWARDED = {
    4: [Prefix.parse(text) for text in ("0.0.0.0/32", "127.0.0.0/8", "198.18.0.0/16", "224.0.0.0/4", "255.255.255.255")],
    6: [Prefix.parse(text) for text in ("::", "::1", "fd76:656e::/32", "fe80::/10", "ff00::/8")],
}


def is_forwarded(passage: Passage) -> bool:
    """Tell whether the router passes a packet on: of a known direction, and between addresses that routers take for some host's."""
    addresses = (passage.source, passage.destination)
    refused = _NOT_FORWARDED[passage.family]
    return passage.direction in _SENT_FROM and not any(
        prefix.matches(passage.family, address) for prefix in refused for address in addresses
    )


def run(*command: str, stdin: str = "") -> str:
    """Run a program to its end and give what it prints; a failure fails the test with its words."""
    finished = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, f"{' '.join(command)}: {finished.stderr}"
    return finished.stdout


class Router:
    """Namespaces ``<name>-source``, ``<name>-router`` and ``<name>-destination``, joined by veth devices.

    Whatever comes from the source's side leaves at ``OUTER``, whatever comes from the destination's side leaves at ``INNER``. No packet
    but those sent is forwarded.
    """

    def __init__(self) -> None:
        self.name = f"vt{secrets.token_hex(4)}"
        self.namespace = f"{self.name}-router"

    def start(self) -> None:
        """Make the namespaces."""
        for part in ("router", *NETWORKS):
            run("ip", "netns", "add", f"{self.name}-{part}")
            with inside(f"{self.name}-{part}"):
                _quieten()
        for end in NETWORKS:
            self._join(end)
        with inside(self.namespace):
            _route()

    def stop(self) -> None:
        """Remove the namespaces that are still there."""
        for part in ("router", *NETWORKS):
            subprocess.run(("ip", "netns", "del", f"{self.name}-{part}"), capture_output=True, check=False)

    def metered(self, device: str = OUTER) -> MeteredDevice:
        """Give a device of the router as one that is to be metered for forwarded traffic."""
        return MeteredDevice(point_id="00000000-0000-0000-0000-000000000001", device=device, namespace=self.namespace)

    def router_mac(self, direction: Direction) -> bytes:
        """Give the MAC address to which frames of a direction are sent."""
        return _MACS[_SENT_FROM[direction]]["router"]

    def send(self, passages: Sequence[Passage], octets: Sequence[int] | None = None) -> None:
        """Send a packet for each passage and wait until all have been forwarded."""
        lengths = octets or [SMALLEST_OCTETS] * len(passages)
        for direction in _SENT_FROM:
            chosen = [number for number, passage in enumerate(passages) if passage.direction is direction]
            frames = frames_of([passages[number] for number in chosen], [lengths[number] for number in chosen], self.router_mac(direction))
            self.send_frames(frames, direction)

    def send_frames(self, frames: Sequence[bytes], direction: Direction, *, forwarded: int | None = None) -> None:
        """Send frames as they are and wait until as many, or ``forwarded``, have been forwarded."""
        wanted = self.forwarded() + (len(frames) if forwarded is None else forwarded)
        end = _SENT_FROM[direction]
        if frames:
            with frame_sender(f"{self.name}-{end}", end) as send:
                send(Frames(frames))
        self._await(wanted)

    def forwarded(self) -> int:
        """Count the packets that the router has passed on (RFC 4293: ``OutForwDatagrams``)."""
        with inside(self.namespace):
            return _forwarded_ipv4() + _forwarded_ipv6()

    @contextmanager
    def traffic(self, passages: Sequence[Passage], folder: Path) -> Iterator[None]:
        """Send packets of one direction over and over, in a process of its own, while the block runs."""
        direction = passages[0].direction
        end = _SENT_FROM[direction]
        path = folder / "frames"
        path.write_bytes(msgspec.msgpack.encode(frames_of(passages, [SMALLEST_OCTETS] * len(passages), self.router_mac(direction))))
        command = (sys.executable, "-m", "tests.support.kernel.sending", f"{self.name}-{end}", end, str(path))
        before = self.forwarded()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
            self._await(before + 1)
            yield
            sent, _ = sender.communicate()
        self._await(before + int(sent))

    def _await(self, wanted: int) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (forwarded := self.forwarded()) < wanted:
            assert time.monotonic() < deadline, f"{wanted - forwarded} packets were not forwarded"
            time.sleep(0.001)

    def _join(self, end: str) -> None:
        device, (network4, network6) = _DEVICES[end], NETWORKS[end]
        host, router = (_MACS[end][side].hex(":") for side in ("host", "router"))
        namespace = f"{self.name}-{end}"
        make = f"link add {end} netns {namespace} address {host} type veth peer name {device} netns {self.namespace} address {router}"
        run("ip", *make.split())
        for place, name, number, other, mac in ((self.namespace, device, 1, 2, host), (namespace, end, 2, 1, router)):
            lines = (
                f"link set {name} up",
                f"address add {network4}.{number}/24 dev {name}",
                f"address add {network6}:{number}/64 dev {name} nodad",
                f"neighbour add {network4}.{other} lladdr {mac} dev {name}",
                f"neighbour add {network6}:{other} lladdr {mac} dev {name}",
            )
            run("ip", "-n", place, "-batch", "-", stdin="\n".join(lines))
        gateways = (f"route add default via {network4}.1", f"-6 route add default via {network6}:1")
        for gateway in gateways:
            run("ip", "-n", namespace, *gateway.split())


@contextmanager
def running_router() -> Iterator[Router]:
    """Give a router that is gone afterwards."""
    router = Router()
    try:
        router.start()
        yield router
    finally:
        router.stop()


def _quieten() -> None:
    """Let devices that are yet to come speak only when spoken to: no link-local addresses, no check of sources."""
    run("ip", "link", "set", "lo", "up")
    for setting, text in (("ipv6/conf/default/addr_gen_mode", "1"), ("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/default/rp_filter", "0")):
        _set(setting, text)


def _route() -> None:
    for setting in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        _set(setting, "1")
    for family, column in (("-4", 0), ("-6", 1)):
        host = ".2" if family == "-4" else ":2"
        ways = {end: networks[column] + host for end, networks in NETWORKS.items()}
        run("ip", family, "route", "add", "default", "via", ways["destination"])
        run("ip", family, "route", "add", "default", "via", ways["source"], "table", "100")
        run("ip", family, "rule", "add", "iif", OUTER, "table", "100")


def _set(setting: str, text: str) -> None:
    Path("/proc/sys/net", setting).write_text(text, encoding="ascii")


def _forwarded_ipv4() -> int:
    names, figures = (line.split() for line in Path("/proc/thread-self/net/snmp").read_text(encoding="ascii").splitlines()[:2])
    return int(figures[names.index("ForwDatagrams")])


def _forwarded_ipv6() -> int:
    lines = Path("/proc/thread-self/net/snmp6").read_text(encoding="ascii").splitlines()
    return next(int(figure) for name, figure in map(str.split, lines) if name == "Ip6OutForwDatagrams")
