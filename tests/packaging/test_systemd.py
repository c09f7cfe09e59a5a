"""The units of the Debian packages under a real systemd: enabled, metering, upgraded under load and removed.

The machine is a copy of this one, booted in a container, so every restriction of the units is enforced. It has a file system of its own
for eBPF objects, which the agent's unit lets it write to.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.machines.copies import Machine, booted_machine
from tests.support.machines.packages import PACKAGES, Packages
from tests.support.tools import needs

pytestmark = [
    pytest.mark.root,
    pytest.mark.image,
    pytest.mark.timeout(1200),
    needs("dpkg-deb", "unshare", "nft", "ip", "clang", "systemd-nspawn", "/usr/bin/python3"),
]

UNITS = ("venturi.socket", "venturi.service", "venturi-agent.service")
NETWORK = """
sysctl -qw net.ipv4.ip_forward=1
for side in inner outer; do
    ip netns add "$side"
    ip link add "$side" type veth peer name eth0 netns "$side"
    ip link set "$side" up
    ip -n "$side" link set eth0 up
done
ip address add 10.0.0.1/24 dev inner
ip -n inner address add 10.0.0.2/24 dev eth0
ip -n inner route add default via 10.0.0.1
ip address add 192.0.2.1/24 dev outer
ip -n outer address add 192.0.2.2/24 dev eth0
ip -n outer neighbour replace 192.0.2.1 lladdr "$(cat /sys/class/net/outer/address)" dev eth0
"""
RULES = "labels: [{name: ten, shared: true, rules: [{direction: egress, source_ip_prefix: 10.0.0.0/8}]}]"
AGENT = """VENTURI_AGENT_DRIVER={driver}
VENTURI_AGENT_HOST=h
VENTURI_AGENT_MEASURE_INTERVAL=1s
VENTURI_AGENT_REPORT_INTERVAL=1s
"""
# A container gets a /sys without the folder where every other machine has eBPF objects.
OBJECTS = "mount -o remount,rw /sys; mkdir -p /sys/fs/bpf; mount -t bpf -o mode=700 bpf /sys/fs/bpf; mount -o remount,ro /sys"
SEND = "import socket; s = socket.socket(type=socket.SOCK_DGRAM); [s.sendto(bytes(72), ('192.0.2.2', 9)) for _ in range({number})]"
PACKET_OCTETS = 100


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A booted machine that routes between two networks, with nothing of venturi installed."""
    with booted_machine(tmp_path) as booted:
        booted.run("sh", "-e", "-c", NETWORK)
        yield booted


def _install(machine: Machine, packages: Packages, revision: int) -> None:
    machine.run("dpkg", "--install", "--force-confold", *(machine.put(Path(packages[name, revision])) for name in PACKAGES))


def _send(machine: Machine, number: int) -> None:
    machine.run("ip", "netns", "exec", "inner", "python3", "-c", SEND.format(number=number))


def _wait_for_usage(machine: Machine, packets: int) -> None:
    machine.wait_for(f",{packets},{packets * PACKET_OCTETS},", "venturi", "usage", "-f", "csv", "--resolution", "total")


def _started(machine: Machine, unit: str) -> str:
    return machine.run("systemctl", "show", "--property", "ActiveEnterTimestampMonotonic", "--value", unit)


def _meter(machine: Machine, driver: str) -> None:
    """Have the units meter the uplink by a driver, until seven packets are in the ledger."""
    machine.run("sh", "-c", f"printf '{AGENT.format(driver=driver)}' >/etc/venturi/agent.env; echo '{RULES}' >/etc/venturi/rules.yaml")
    machine.run("systemctl", "enable", "--now", "venturi.socket", "venturi.service")
    machine.run("venturi", "apply", "/etc/venturi/rules.yaml")
    machine.run("venturi", "point", "create", "uplink", "--kind", "interface", "--share", "--host", "h", "--device", "outer")
    machine.run("systemctl", "enable", "--now", "venturi-agent.service")
    machine.wait_for('"event":"metering"', "journalctl", "-o", "cat", "-u", "venturi-agent")
    _send(machine, 7)
    _wait_for_usage(machine, 7)


def test_the_restrictions_of_the_unit_let_ebpf_count(machine: Machine, packages: Packages) -> None:
    machine.run("sh", "-e", "-c", OBJECTS)
    _install(machine, packages, 1)
    _meter(machine, "ebpf")
    assert "ebpf" in machine.run("venturi", "agent", "list", "-f", "value", "-c", "driver")
    assert machine.run("systemctl", "show", "--property", "NRestarts", "--value", "venturi-agent").strip() == "0"
    assert machine.run("ls", "/sys/fs/bpf/venturi")
    machine.run("dpkg", "--purge", "venturi-agent")


def test_units_start_meter_survive_an_upgrade_and_go(machine: Machine, packages: Packages) -> None:
    _install(machine, packages, 1)
    assert machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "venturi*") == ""
    _meter(machine, "nftables")

    before = [_started(machine, unit) for unit in ("venturi.service", "venturi-agent.service")]
    _install(machine, packages, 2)
    assert machine.run("systemctl", "is-active", *UNITS).split() == ["active"] * 3
    assert all(_started(machine, unit) > first for unit, first in zip(("venturi.service", "venturi-agent.service"), before, strict=True))
    _send(machine, 5)
    _wait_for_usage(machine, 12)
    assert machine.run("venturi", "ledger", "verify", "--database", "sqlite:////var/lib/venturi/venturi.db")

    machine.run("dpkg", "--remove", *PACKAGES)
    assert machine.fails("systemctl", "is-active", *UNITS)
    assert machine.fails("pgrep", "-f", "/usr/lib/venturi")
    assert machine.run("systemctl", "--failed", "--plain", "--no-legend") == ""
    machine.run("test", "-s", "/var/lib/venturi/venturi.db")
