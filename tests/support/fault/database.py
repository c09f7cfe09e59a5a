"""The database of a fault test: a file of SQLite, or a PostgreSQL server of its own that can be killed.

Owns what can be done to it: killing, beginning again, keeping a copy and going back to it.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tests.support.databases import writing_connection
from tests.support.fault.processes import Restarted
from tests.support.tools import find_tool, runs_as_root
from venturi.core.domain.errors import StoreError

_SECONDS = 60.0


class FaultDatabase(Protocol):
    """A database that faults happen to, ``apart`` from the server or within it. ``keep`` and ``go_back`` are for one that does not run."""

    url: str
    apart: bool

    @property
    def kills(self) -> int:
        """How many times it was killed."""
        ...

    def begin(self) -> None:
        """Begin, unless it runs."""
        ...

    def kill(self) -> None:
        """End it at once, wherever it is."""
        ...

    def keep(self) -> None:
        """Keep a copy of it as it is now."""
        ...

    def go_back(self) -> None:
        """Make it what it was when it was kept last, if it ever was."""
        ...


class SqliteFile:
    """A file that a server has open; killing the server is all that can be done to it while it runs."""

    def __init__(self, path: Path, copies: Path) -> None:
        self.url = f"sqlite:///{path}"
        self.apart = False
        self._path = path
        self._copies = copies
        self.kills = 0

    def begin(self) -> None:
        """Begin nothing: the file is there."""

    def kill(self) -> None:
        """Kill nothing: no process is behind the file but the server."""

    def keep(self) -> None:
        """Copy the file and what lies beside it."""
        shutil.rmtree(self._copies, ignore_errors=True)
        self._copies.mkdir(parents=True)
        for part in self._parts():
            shutil.copy2(part, self._copies / part.name)

    def go_back(self) -> None:
        """Put the copies in place of the files."""
        if not self._copies.exists():
            return
        for part in self._parts():
            part.unlink()
        for part in self._copies.iterdir():
            shutil.copy2(part, self._path.parent / part.name)

    def _parts(self) -> list[Path]:
        return [part for part in self._path.parent.glob(f"{self._path.name}*") if not part.name.endswith(".lock")]


class PostgresServer:
    """A PostgreSQL server of its own, as durable as it is out of the box; its log of what is to be written fits a small disk."""

    def __init__(self, files: Path, socket_folder: Path, copies: Path, log: Path) -> None:
        self._files = files
        self._socket_folder = socket_folder
        self._copies = copies
        self._user = "postgres" if runs_as_root() else None
        self.url = f"postgresql://postgres@/postgres?host={socket_folder}"
        self.apart = True
        settings = ["listen_addresses=", f"unix_socket_directories={socket_folder}", "max_wal_size=96MB", "shared_buffers=32MB"]
        command = [_program("postgres"), "-D", str(files), *(word for setting in settings for word in ("-c", setting))]
        self._server = Restarted(command, log, user=self._user)

    @property
    def kills(self) -> int:
        """How many times it was killed."""
        return self._server.kills

    def create(self) -> None:
        """Make an empty database."""
        for folder in (self._files, self._socket_folder):
            folder.mkdir()
            self._hand_over(folder)
        command = [_program("initdb"), "-D", str(self._files), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync"]
        groups: list[int] | None = [] if self._user else None
        done = subprocess.run(command, user=self._user, extra_groups=groups, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def begin(self) -> None:
        """Begin, and wait until it can be asked."""
        deadline = time.monotonic() + _SECONDS
        self._server.begin()
        while not self._answers():
            assert time.monotonic() < deadline, self._server.log.read_text(encoding="utf-8")
            time.sleep(0.1)
            self._server.begin()

    def kill(self) -> None:
        """Kill the server with all of its processes."""
        backends = self._server.children()
        self._server.kill()
        for backend in backends:
            with suppress(ProcessLookupError):
                os.kill(backend, signal.SIGKILL)
        deadline = time.monotonic() + _SECONDS
        while any(_runs(backend) for backend in backends):
            assert time.monotonic() < deadline, "processes of PostgreSQL do not end"
            time.sleep(0.02)

    def keep(self) -> None:
        """Copy its files; it must not run."""
        shutil.rmtree(self._copies, ignore_errors=True)
        shutil.copytree(self._files, self._copies)

    def go_back(self) -> None:
        """Put the copy in place of its files."""
        if not self._copies.exists():
            return
        shutil.rmtree(self._files)
        shutil.copytree(self._copies, self._files)
        for part in [self._files, *self._files.rglob("*")]:
            self._hand_over(part)

    def _hand_over(self, part: Path) -> None:
        if self._user is not None:
            shutil.chown(part, self._user)

    def _answers(self) -> bool:
        try:
            with writing_connection(self.url) as connection:
                connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, StoreError):
            return False
        return True


def _runs(process: int) -> bool:
    """Tell whether a process runs that is no child of this one; one that ended and was not waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


def _program(name: str) -> str:
    found = find_tool(name)
    assert found is not None
    return found
