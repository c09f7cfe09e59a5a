"""The hosts of a production site on one machine: a server and two routers that forward traffic of known amount.

Owns their namespaces and files: each host has a network, a name, and its own ``/etc``, ``/var``, ``/opt`` and ``/root``, which are gone
afterwards. What is run there is for the page.
"""

import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pyroute2 import IPRoute, netns

from tests.support.sources import ROOT
from tests.support.tools import OPENSTACK_PROGRAMS
from venturi.adapters.laboratory.network import LaboratoryNetwork
from venturi.adapters.network.namespaces import inside

SERVER, AGENTS = "server", ("edge-1", "edge-2")
SERVER_NAMES = "venturi.example.net keystone.example.net"

_NETWORK = "192.0.2"
_UNIT_RUNNER = Path(__file__).with_name("unit_runner.py")
_COMMAND_SECONDS = 90
_END = "@end-of-command@"
_OWN_FILES = ("etc", "var", "opt", "root")
_BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What every host has, as a script of its first process: files that are its own above those of the machine.
_MAKE_HOST = """
set -e
mount --make-rprivate /
mkdir -p {folder}
mount -t tmpfs -o mode=755 tmpfs {folder}
mkdir -p {folder}/bin {folder}/units
for each in {own}; do
    mkdir -p {folder}/$each/upper {folder}/$each/work
    mount -t overlay overlay -o lowerdir=/$each,upperdir={folder}/$each/upper,workdir={folder}/$each/work /$each
done
mount -t bpf bpf /sys/fs/bpf
hostname {name}
printf '127.0.0.1 localhost\\n{addresses}' >/etc/hosts
rm -rf /etc/venturi /etc/systemd/system/venturi* /var/lib/prometheus/metrics2/*
"""


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    output: str


class Host:
    """A host: what runs on it sees its own network, name and files. ``programs`` are those that it has besides the machine's."""

    def __init__(self, name: str, namespace: str, addresses: Mapping[str, str], programs: Mapping[str, str]) -> None:
        self.name = name
        self.namespace = namespace
        self._addresses = addresses
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="venturi-"))
        self._folder.chmod(0o755)
        self._own = self._folder / "own"
        self._first: subprocess.Popen[str] | None = None

    @property
    def files(self) -> Path:
        """The root folder of the host, as others see it."""
        assert self._first is not None
        return Path(f"/proc/{self._first.pid}/root")

    def start(self) -> None:
        """Make the host."""
        addresses = "".join(f"{address} {names}\\n" for address, names in self._addresses.items())
        script = _MAKE_HOST.format(folder=self._own, own=" ".join(_OWN_FILES), name=self.name, addresses=addresses)
        lines = [script, *(self._program(name, text) for name, text in self._programs.items()), "echo made", "exec sleep infinity"]
        command = ["unshare", "--mount", "--uts", "bash", "-c", "\n".join(lines)]
        with inside(self.namespace):
            self._first = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self._first.stdout is not None
        assert self._first.stdout.readline() == "made\n", f"{self.name} could not be made"
        self._first.stdout.close()

    def stop(self) -> None:
        """End what runs there, and remove the host."""
        if self._first is None:
            return
        for process in self._processes():
            subprocess.run(["kill", "-KILL", str(process)], capture_output=True, check=False)
        for stream in (self._shell.stdin, self._shell.stdout):
            with suppress(BrokenPipeError):
                stream and stream.close()
        self._shell.wait()
        self._first.kill()
        self._first.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, command: str) -> Ran:
        """Run a command in root's shell of this host, which stays the same from command to command."""
        shell = self._shell
        (self._folder / "command").write_text(f"{command}\n", encoding="utf-8")
        timer = threading.Timer(_COMMAND_SECONDS, shell.kill)
        timer.start()
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdin.write(f". {self._folder}/command </dev/null; code=$?; echo; echo {_END} $code\n")
        shell.stdin.flush()
        lines: list[str] = []
        for line in shell.stdout:
            if line.startswith(_END):
                timer.cancel()
                return Ran(int(line.split()[1]), "".join(lines)[:-1])
            lines.append(line)
        raise AssertionError(f"{self.name}: the shell ended at: {command}\n" + "".join(lines))

    def log(self, unit: str) -> str:
        """Give what a unit has written."""
        return (self.files / str(self._own).lstrip("/") / "units" / f"{unit}.service.log").read_text(encoding="utf-8")

    def bind(self, source: Path, place: str) -> None:
        """Let the host see a folder of the machine at a place."""
        made = self.run(f"mkdir -p {place} && mount --bind {source} {place}")
        assert made.code == 0, made.output

    @cached_property
    def _shell(self) -> subprocess.Popen[str]:
        assert self._first is not None
        settings = [f"PATH={self._own}/bin:{_BASE_PATH}", "HOME=/root", f"VENTURI_UNITS={self._own}/units", "COLUMNS=80", "NO_COLOR=1"]
        enter = ["nsenter", f"--target={self._first.pid}", "--mount", "--net", "--uts", f"--wdns={ROOT}", "env", "-i", *settings]
        pipe = subprocess.PIPE
        command = [*enter, "bash", "--norc", "-o", "pipefail"]
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def _program(self, name: str, text: str) -> str:
        return f"cat >{self._own}/bin/{name} <<'END'\n#!/bin/bash\n{text}\nEND\nchmod 755 {self._own}/bin/{name}"

    def _processes(self) -> list[int]:
        """List the processes that share the host's files: all that was started there."""
        assert self._first is not None
        own = Path(f"/proc/{self._first.pid}/ns/mnt").stat().st_ino
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "ns" / "mnt").stat().st_ino == own and int(entry.name) != self._first.pid:
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


@dataclass(frozen=True)
class Site:
    """A server, the hosts of two agents, and the networks whose traffic these forward."""

    server: Host
    agents: Mapping[str, Host]
    networks: Mapping[str, LaboratoryNetwork]

    def host(self, name: str) -> Host:
        return self.server if name == SERVER else self.agents[name]


@contextmanager
def running_site() -> Iterator[Site]:
    """Make a site, in which nothing runs yet, until the end of the block."""
    key = f"vp{secrets.token_hex(3)}"
    with ExitStack() as running:
        centre = f"{key}-site"
        netns.create(centre)
        running.callback(netns.remove, centre)
        _bridge(centre)
        networks = {name: running.enter_context(LaboratoryNetwork(f"{key}-{name}", ["web"])) for name in AGENTS}
        addresses = {f"{_NETWORK}.1": f"{SERVER} {SERVER_NAMES}"}
        for place, name in enumerate(AGENTS, start=2):
            addresses[f"{_NETWORK}.{place}"] = name
            _join(centre, networks[name].router_namespace, place)
        hosts: dict[str, Host] = {}
        for name in (SERVER, *AGENTS):
            namespace = centre if name == SERVER else networks[name].router_namespace
            hosts[name] = Host(name, namespace, addresses, _programs(hosts))
            running.callback(hosts[name].stop)
            hosts[name].start()
        yield Site(hosts[SERVER], {name: hosts[name] for name in AGENTS}, networks)


def _programs(earlier: Mapping[str, Host]) -> dict[str, str]:
    """Give the programs of a host: venturi of this checkout, units without systemd, and copies from the server without SSH."""
    python = sys.executable
    programs = {
        "venturi": f'exec {python} -m venturi "$@"',
        "systemctl": f'exec {python} -I {_UNIT_RUNNER} "$@"',
        "journalctl": 'while [ "$1" != -u ]; do shift; done; exec cat "$VENTURI_UNITS/$2.service.log"',
        "openstack": f'exec {OPENSTACK_PROGRAMS}/openstack "$@"',
    }
    if SERVER in earlier:
        find = "for last; do :; done\nfrom=${1#*:}\ncase $from in /*) ;; *) from=$HOME/$from ;; esac"
        programs["scp"] = f'{find}\nexec cp "{earlier[SERVER].files}$from" "$last"'
    return programs


def _bridge(centre: str) -> None:
    with inside(centre), IPRoute() as route:
        route.link("set", index=route.link_lookup(ifname="lo")[0], state="up")
        route.link("add", ifname="site", kind="bridge")
        index = route.link_lookup(ifname="site")[0]
        route.addr("add", index=index, address=f"{_NETWORK}.1", prefixlen=24)
        route.link("set", index=index, state="up")


def _join(centre: str, namespace: str, place: int) -> None:
    """Lay a cable from the host of an agent to the server."""
    cable = f"agent{place}"
    with inside(centre), IPRoute() as route:
        route.link("add", ifname=cable, kind="veth", peer={"ifname": "office", "net_ns_fd": namespace})
        index = route.link_lookup(ifname=cable)[0]
        route.link("set", index=index, master=route.link_lookup(ifname="site")[0], state="up")
    with inside(namespace), IPRoute() as route:
        index = route.link_lookup(ifname="office")[0]
        route.addr("add", index=index, address=f"{_NETWORK}.{place}", prefixlen=24)
        for name in ("lo", "office"):
            route.link("set", index=route.link_lookup(ifname=name)[0], state="up")
