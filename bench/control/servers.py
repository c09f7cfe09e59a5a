"""Starting venturi's server and Neutron, and what their processes hold in memory.

Owns commands, databases and ending. What they are asked is in ``compare.control``.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.compare.programs import VENTURI
from bench.measure.processes import ProgramFailedError

VENTURI_NAME = "venturi"
NEUTRON_NAME = "Neutron"

_ROOT = Path(__file__).parents[2]
_SERVE_NEUTRON = Path(__file__).parent / "programs" / "serve_neutron.py"
_START_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """A running server; ``database`` is its SQLite file, where it has one."""

    name: str
    port: int
    process_id: int
    database: Path

    def resident_octets(self) -> int:
        """Give the memory that the process holds now (VmRSS)."""
        return self._status("VmRSS")

    def peak_octets(self) -> int:
        """Give the most memory that the process has held (VmHWM)."""
        return self._status("VmHWM")

    def cpu_seconds(self) -> float:
        """Give the processor time that the process has taken so far."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, entry: str) -> int:
        lines = Path(f"/proc/{self.process_id}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(entry))


def install_neutron() -> Path | None:
    """See to the environment of Neutron; give its Python, or None where it cannot be installed."""
    command = [str(_ROOT / "scripts" / "openstack-tools"), "bench"]
    told = subprocess.run(command, env={**os.environ, "PYTHON": sys.executable}, stdout=subprocess.PIPE, text=True, check=True).stdout
    python = Path(told.splitlines()[-1]) / "bin" / "python"
    return python if python.exists() else None


@contextmanager
def running_venturi(folder: Path, url: str | None = None) -> Iterator[Server]:
    """Run venturi's server until the end of the block: on an empty database in the folder, or on that of the URL."""
    database = folder / "venturi.sqlite"
    location = url or f"sqlite:///{database}"
    command = [str(VENTURI), "serve", "--listen", "127.0.0.1:0", "--database", location, "--log-form", "json"]
    with _running(command, folder / "venturi.log") as (process, log):
        url = json.loads(_wait_for_line(process, log, '"listening"'))["urls"][0]
        yield Server(VENTURI_NAME, _port(url), process.pid, database)


@contextmanager
def running_neutron(python: Path, folder: Path) -> Iterator[Server]:
    """Run Neutron on an empty database until the end of the block."""
    command = [str(python), "-W", "ignore", str(_SERVE_NEUTRON), str(folder)]
    with _running(command, folder / "neutron.out") as (process, log):
        url = _wait_for_line(process, log, "http://127.0.0.1:")
        yield Server(NEUTRON_NAME, _port(url), process.pid, folder / "neutron.sqlite")


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    with log.open("wb") as written, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=written, stderr=written) as process:
        try:
            yield process, log
        finally:
            process.kill()


def _wait_for_line(process: subprocess.Popen[bytes], log: Path, sign: str) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            if sign in line and line.endswith("\n"):
                return line
        time.sleep(0.1)
    message = f"{log.stem} does not listen:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
    raise ProgramFailedError(message)


def _port(url: str) -> int:
    return int(url.strip().rpartition(":")[2])
