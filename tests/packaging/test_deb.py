"""The Debian packages: installed, started, upgraded and removed on a copy of this machine's files that goes at the end.

No systemd runs in the copy: the commands of the units are started as the units say, and the units are verified. ``test_systemd`` boots one.
"""

import json
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import run_whole
from tests.support.machines.copies import SECONDS, Machine, copied_machine
from tests.support.machines.packages import PACKAGES, Packages
from tests.support.tools import needs

pytestmark = [pytest.mark.root, pytest.mark.timeout(600), needs("dpkg-deb", "unshare", "systemd-analyze", "clang", "/usr/bin/python3")]

STATE = {"server": "/var/lib/venturi", "agent": "/var/lib/venturi-agent"}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """The copy, with nothing of venturi installed."""
    with copied_machine(tmp_path) as copy:
        yield copy


def _exec_start(machine: Machine, unit: str) -> list[str]:
    """Give the command that an installed unit starts."""
    (line,) = (line for line in machine.run("cat", f"/usr/lib/systemd/system/{unit}").splitlines() if line.startswith("ExecStart="))
    return shlex.split(line.removeprefix("ExecStart="))


@contextmanager
def _started(machine: Machine, unit: str, part: str, *settings: str) -> Iterator[list[dict[str, Any]]]:
    """Run the command of a unit, in its state folder, and give its log as it grows."""
    machine.run("mkdir", "-p", STATE[part])
    user = () if part == "agent" else ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    if user:
        machine.run("chown", "-R", "nobody:nogroup", STATE[part])
    command = machine.command(f"STATE_DIRECTORY={STATE[part]}", *settings, *user, *_exec_start(machine, unit))
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


def _install(machine: Machine, packages: Packages, revision: int) -> None:
    machine.run("dpkg", "--install", "--force-confold", *(packages[name, revision] for name in PACKAGES))
    shown = machine.run("dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status} ${Version}\n", *PACKAGES)
    assert [line.split()[:2] for line in shown.splitlines()] == [[name, "installed"] for name in PACKAGES]
    assert all(line.endswith(f"-{revision}") for line in shown.splitlines())


def test_packages_are_installed_started_upgraded_and_removed(machine: Machine, packages: Packages) -> None:
    _install(machine, packages, 1)
    assert machine.run("systemd-analyze", "verify", "--man=no", *_units(machine)) == ""
    with _serving(machine) as log:
        url = str(log[-1]["urls"][0])
        machine.run("venturi", "label", "create", "kept", "--url", url)
        spool = f"VENTURI_AGENT_SPOOL={STATE['agent']}/spool.db"
        settings = (f"VENTURI_URL={url}", spool, "VENTURI_AGENT_DRIVER=nftables", "VENTURI_AGENT_HOST=h")
        with _started(machine, "venturi-agent.service", "agent", *settings):
            machine.wait_for("h\n", "venturi", "agent", "list", "--url", url, "-f", "value", "-c", "agent_id")
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


def test_the_agent_recommends_what_loads_its_programs(packages: Packages) -> None:
    recommended = {name: run_whole("dpkg-deb", "--field", packages[name, 1], "Recommends").strip() for name in PACKAGES}
    assert recommended == {"venturi": "", "venturi-agent": "libbpf1"}


def test_help_is_installed_for_people_and_shells(machine: Machine, packages: Packages) -> None:
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
