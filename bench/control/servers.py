"""Starting venturi's server and Neutron.

Owns commands, databases and ending. What they are asked is in ``compare.control``.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.compare.programs import VENTURI
from bench.measure.running import RunningProcess, running_program, wait_for_line

VENTURI_NAME = "venturi"
NEUTRON_NAME = "Neutron"

_ROOT = Path(__file__).parents[2]
_SERVE_NEUTRON = Path(__file__).parent / "programs" / "serve_neutron.py"


@dataclass(frozen=True)
class Server(RunningProcess):
    """A running server; ``database`` is its SQLite file, where it has one."""

    name: str
    port: int
    database: Path


def install_neutron() -> Path | None:
    """See to the environment of Neutron; give its Python, or None where it cannot be installed."""
    command = [str(_ROOT / "scripts" / "openstack-tools"), "bench"]
    told = subprocess.run(command, env={**os.environ, "PYTHON": sys.executable}, stdout=subprocess.PIPE, text=True, check=True).stdout
    python = Path(told.splitlines()[-1]) / "bin" / "python"
    return python if python.exists() else None


@contextmanager
def running_venturi(folder: Path, url: str | None = None, program: Path = VENTURI) -> Iterator[Server]:
    """Run venturi's server until the end of the block: on an empty database in the folder, or on that of the URL.

    ``program`` may be another version's.
    """
    database = folder / "venturi.sqlite"
    location = url or f"sqlite:///{database}"
    command = [str(program), "serve", "--listen", "127.0.0.1:0", "--database", location, "--log-form", "json"]
    with running_program(command, folder / "venturi.log") as (process, log):
        url = json.loads(wait_for_line(process, log, '"listening"'))["urls"][0]
        yield Server(process.pid, VENTURI_NAME, _port(url), database)


@contextmanager
def running_neutron(python: Path, folder: Path) -> Iterator[Server]:
    """Run Neutron on an empty database until the end of the block."""
    command = [str(python), "-W", "ignore", str(_SERVE_NEUTRON), str(folder)]
    with running_program(command, folder / "neutron.out") as (process, log):
        url = wait_for_line(process, log, "http://127.0.0.1:")
        yield Server(process.pid, NEUTRON_NAME, _port(url), folder / "neutron.sqlite")


def _port(url: str) -> int:
    return int(url.strip().rpartition(":")[2])
