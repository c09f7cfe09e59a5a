"""The building of worlds: disks, database, settings and names of their own for each.

Owns where the parts of a world lie: its disks in a folder with a short name, which sockets need, and everybody may enter.
"""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.databases import POSTGRESQL
from tests.support.fault.database import FaultDatabase, PostgresServer, SqliteFile
from tests.support.fault.disk import Disk, small_disk
from tests.support.fault.world import FaultWorld, WorldParts
from tests.support.kernel.bpf_folder import new_bpf_folder
from venturi.adapters.drivers.protocol import DriverName

_AGENT_DISK = "48m"
_SERVER_DISK = "400m"


@contextmanager
def running_world(logs: Path, driver: DriverName, database_kind: str, seed: int) -> Iterator[FaultWorld]:
    """Run a world until the end of the block; its programs log to the folder ``logs``."""
    name = f"vf{secrets.token_hex(3)}"
    with ExitStack() as running:
        home = Path(tempfile.mkdtemp(prefix="venturi-"))
        home.chmod(0o755)
        running.callback(shutil.rmtree, home, ignore_errors=True)
        server_disk = running.enter_context(small_disk(home / "server-disk", _SERVER_DISK))
        parts = WorldParts(
            name=name,
            logs=logs,
            home=home,
            driver=driver,
            agent_environment=_agent_environment(driver, name),
            agent_disk=running.enter_context(small_disk(home / "agent-disk", _AGENT_DISK)),
            server_disk=server_disk,
            database=_make_database(database_kind, server_disk, home, logs),
            seed=seed,
        )
        world = FaultWorld(parts)
        running.callback(world.stop)
        world.start()
        yield world


def _agent_environment(driver: DriverName, name: str) -> dict[str, str]:
    often = {"VENTURI_AGENT_MEASURE_INTERVAL": "1s", "VENTURI_AGENT_REPORT_INTERVAL": "1s"}
    return often | ({"VENTURI_AGENT_BPFFS": str(new_bpf_folder(name))} if driver is DriverName.EBPF else {})


def _make_database(kind: str, disk: Disk, home: Path, logs: Path) -> FaultDatabase:
    copies = home / "database-copies"
    if kind != POSTGRESQL:
        return SqliteFile(disk.folder / "venturi.db", copies)
    server = PostgresServer(disk.folder / "files", home / "socket", copies, logs / "postgres.log")
    server.create()
    return server
