"""Copies of this machine's files that go at the end: what is installed in them reaches the machine itself in nothing.

A copy is an overlay in a mount namespace of its own. ``copied_machine`` runs commands in it; ``booted_machine`` boots it, with a systemd
of its own in a container that has its own processes and network.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.environments import run_whole

SECONDS = 60.0
_OVERLAY = """
mount -t tmpfs -o size=2g tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
"""
_COPY = """
for folder in proc sys dev; do mount --rbind "/$folder" "$1/root/$folder"; done
mount -t tmpfs tmpfs "$1/root/run"
echo ready
exec sleep infinity
"""
# Units that this machine has enabled stay off: nothing beyond the basic target is started by itself.
_BOOT = """
exec systemd-nspawn --quiet --register=no --keep-unit --private-network --capability=all --system-call-filter=bpf --link-journal=no \
    --console=pipe --machine=venturi --directory="$1/root" --boot systemd.unit=basic.target
"""


class Machine:
    """A copy of this machine's files, in which commands are run by ``entering`` words before them."""

    def __init__(self, *entering: str) -> None:
        self.entering = entering

    def command(self, *words: str) -> list[str]:
        return [*self.entering, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", *words]

    def run(self, *words: str) -> str:
        return run_whole(*self.command(*words))

    def put(self, path: Path) -> str:
        """Copy a file into the machine, which has temporary folders of its own, and give the copy's path there."""
        copy = f"/srv/{path.name}"
        with path.open("rb") as file:
            subprocess.run(self.command("sh", "-c", f"cat >{copy}"), stdin=file, check=True)
        return copy

    def fails(self, *words: str) -> bool:
        return subprocess.run(self.command(*words), capture_output=True, check=False).returncode != 0

    def wait_for(self, text: str, *words: str) -> None:
        """Run a command again and again until a line of its output holds ``text``; it may fail until then."""
        deadline = time.monotonic() + SECONDS
        while True:
            run = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
            if text in run.stdout:
                return
            assert time.monotonic() < deadline, run.stdout + run.stderr
            time.sleep(0.2)


@contextmanager
def copied_machine(folder: Path) -> Iterator[Machine]:
    """Give a copy in ``folder``, where no process runs but what is run."""
    with _holding(folder, _OVERLAY + _COPY) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        yield Machine("nsenter", "-t", str(holder.pid), "-m", "chroot", str(folder / "root"))


@contextmanager
def booted_machine(folder: Path) -> Iterator[Machine]:
    """Give a copy in ``folder`` that systemd has booted, with no network but the loopback interface."""
    with _holding(folder, _OVERLAY + _BOOT) as holder:
        first = _first_process(holder)
        try:
            machine = Machine("nsenter", "-t", first, "-m", "-u", "-i", "-n", "-p")
            machine.wait_for("active", "systemctl", "is-active", "basic.target")
            yield machine
        finally:
            os.kill(int(first), signal.SIGKILL)  # the container outlives what booted it


def _first_process(holder: "subprocess.Popen[str]") -> str:
    """Wait for the first process of the container, once it is systemd."""
    deadline = time.monotonic() + SECONDS
    children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
    while True:
        for number in children.read_text(encoding="utf-8").split():
            name = Path(f"/proc/{number}/comm")
            if name.exists() and name.read_text(encoding="utf-8") == "systemd\n":
                return number
        assert holder.poll() is None, holder.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def _holding(folder: Path, script: str) -> Iterator["subprocess.Popen[str]"]:
    command = ("unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", script, "sh", str(folder))
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as holder:
        try:
            yield holder
        finally:
            holder.kill()
