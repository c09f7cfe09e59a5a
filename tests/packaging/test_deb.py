"""The Debian packages: installed, started, upgraded and removed on a copy of this machine's files that goes at the end.

The copy is an overlay in a mount namespace of its own, so nothing reaches the machine itself. No systemd runs in it: the commands of the
units are started as the units say, and the units are verified.
"""

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import run_whole
from tests.support.sources import ROOT
from tests.support.tools import needs

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), needs("dpkg-deb", "unshare", "systemd-analyze", "clang", "/usr/bin/python3")]

SECONDS = 60.0
PACKAGES = ("venturi", "venturi-agent")
MACHINE = """
mount -t tmpfs -o size=2g tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
for folder in proc sys dev; do mount --rbind "/$folder" "$1/root/$folder"; done
mount -t tmpfs tmpfs "$1/root/run"
echo ready
exec sleep infinity
"""
STATE = {"server": "/var/lib/venturi", "agent": "/var/lib/venturi-agent"}


class Machine:
    """A copy of this machine's files."""

    def __init__(self, pid: int, folder: Path) -> None:
        self._inside = ("nsenter", "-t", str(pid), "-m", "chroot", str(folder / "root"))

    def command(self, *words: str) -> list[str]:
        return [*self._inside, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", *words]

    def run(self, *words: str) -> str:
        return run_whole(*self.command(*words))

    def fails(self, *words: str) -> bool:
        return subprocess.run(self.command(*words), capture_output=True, check=False).returncode != 0

    def exec_start(self, unit: str) -> list[str]:
        """Give the command that an installed unit starts."""
        (line,) = (line for line in self.run("cat", f"/usr/lib/systemd/system/{unit}").splitlines() if line.startswith("ExecStart="))
        return shlex.split(line.removeprefix("ExecStart="))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """The copy, with nothing of venturi installed."""
    script = ("unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", MACHINE, "sh", str(tmp_path))
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            yield Machine(holder.pid, tmp_path)
        finally:
            holder.kill()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], str]:
    """The files of both packages as ``make deb`` builds them, and again as a second revision of the same version."""
    folder = tmp_path_factory.mktemp("deb")
    run_whole(ROOT / "scripts" / "make-deb", folder)
    files = {}
    for name in PACKAGES:
        (first,) = folder.glob(f"{name}_*-1_*.deb")
        opened = folder / name
        run_whole("dpkg-deb", "-R", first, opened)
        control = opened / "DEBIAN" / "control"
        control.write_text(control.read_text(encoding="utf-8").replace("-1\n", "-2\n", 1), encoding="utf-8")
        second = folder / first.name.replace("-1_", "-2_")
        run_whole("dpkg-deb", "--root-owner-group", "-Zzstd", "-z1", "--build", opened, second)
        files.update({(name, 1): str(first), (name, 2): str(second)})
    return files


@contextmanager
def _started(machine: Machine, unit: str, part: str, *settings: str) -> Iterator[list[dict[str, Any]]]:
    """Run the command of a unit, in its state folder, and give its log as it grows."""
    machine.run("mkdir", "-p", STATE[part])
    user = () if part == "agent" else ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    if user:
        machine.run("chown", "-R", "nobody:nogroup", STATE[part])
    command = machine.command(f"STATE_DIRECTORY={STATE[part]}", *settings, *user, *machine.exec_start(unit))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            log: list[dict[str, Any]] = []
            for line in process.stderr:
                log.append(json.loads(line))
                if log[-1]["event"] in {"listening", "plan"}:
                    break
            else:
                pytest.fail(f"{unit} ended: {log}")
            yield log
            process.terminate()
            process.communicate(timeout=SECONDS)
            assert process.returncode == 0
        finally:
            process.kill()


def _serving(machine: Machine) -> AbstractContextManager[list[dict[str, Any]]]:
    database = f"VENTURI_DATABASE=sqlite:///{STATE['server']}/venturi.db"
    return _started(machine, "venturi.service", "server", database, "VENTURI_LISTEN=127.0.0.1:0")


def _install(machine: Machine, packages: dict[tuple[str, int], str], revision: int) -> None:
    machine.run("dpkg", "--install", "--force-confold", *(packages[name, revision] for name in PACKAGES))
    shown = machine.run("dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status} ${Version}\n", *PACKAGES)
    assert [line.split()[:2] for line in shown.splitlines()] == [[name, "installed"] for name in PACKAGES]
    assert all(line.endswith(f"-{revision}") for line in shown.splitlines())


def test_packages_are_installed_started_upgraded_and_removed(machine: Machine, packages: dict[tuple[str, int], str]) -> None:
    _install(machine, packages, 1)
    assert machine.run("systemd-analyze", "verify", "--man=no", *_units(machine)) == ""
    with _serving(machine) as log:
        url = str(log[-1]["urls"][0])
        machine.run("venturi", "label", "create", "kept", "--url", url)
        spool = f"VENTURI_AGENT_SPOOL={STATE['agent']}/spool.db"
        settings = (f"VENTURI_URL={url}", spool, "VENTURI_AGENT_DRIVER=nftables", "VENTURI_AGENT_HOST=h")
        with _started(machine, "venturi-agent.service", "agent", *settings):
            _wait_for(machine, "h", "venturi", "agent", "list", "--url", url, "-f", "value", "-c", "agent_id")
    machine.run("sh", "-c", "echo VENTURI_AUTH=none >>/etc/venturi/serve.env")

    _install(machine, packages, 2)
    assert "VENTURI_AUTH=none" in machine.run("cat", "/etc/venturi/serve.env")
    with _serving(machine) as log:
        assert "kept" in machine.run("venturi", "label", "list", "--url", str(log[-1]["urls"][0]))

    machine.run("dpkg", "--remove", *PACKAGES)
    for gone in ("/usr/bin/venturi", "/usr/bin/venturi-agent", "/usr/lib/venturi", "/usr/lib/venturi-agent"):
        assert machine.fails("test", "-e", gone), gone
    machine.run("test", "-e", "/etc/venturi/serve.env")
    machine.run("dpkg", "--purge", *PACKAGES)
    assert machine.fails("test", "-e", "/etc/venturi")
    machine.run("test", "-s", f"{STATE['server']}/venturi.db")


def test_help_is_installed_for_people_and_shells(machine: Machine, packages: dict[tuple[str, int], str]) -> None:
    machine.run("dpkg", "--install", packages["venturi", 1])
    page = machine.run("zcat", "/usr/share/man/man1/venturi-label-create.1.gz")
    assert "Let the label apply at every observation point, or not." in page
    assert "label" in machine.run("zcat", "/usr/share/man/man1/venturi.1.gz")
    machine.run("bash", "-n", "/usr/share/bash-completion/completions/venturi")
    for shell, place in (("zsh", "zsh/vendor-completions/_venturi"), ("fish", "fish/vendor_completions.d/venturi.fish")):
        assert machine.run("cat", f"/usr/share/{place}") == machine.run("venturi", "completion", shell)


def _units(machine: Machine) -> list[str]:
    listed = machine.run("dpkg", "--listfiles", *PACKAGES).splitlines()
    units = sorted(path for path in listed if path.startswith("/usr/lib/systemd/system/venturi"))
    assert [Path(path).name for path in units] == ["venturi-agent.service", "venturi.service", "venturi.socket"]
    return units


def _wait_for(machine: Machine, text: str, *words: str) -> None:
    deadline = time.monotonic() + SECONDS
    while text not in (shown := machine.run(*words)).split():
        assert time.monotonic() < deadline, shown
        time.sleep(0.2)
