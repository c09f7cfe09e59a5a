"""Databases that keep what they acknowledge: a file of SQLite, and a PostgreSQL of the benchmark's own.

Owns the latter's settings and its start and end. It has no network port.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bench.measure.processes import ProgramFailedError, find_program

POSTGRESQL_SETTINGS = ("shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=15min", "listen_addresses=")
"""What differs from the defaults, which write every commit to the disk before it is acknowledged."""

_ACCOUNT = "postgres"
_START_SECONDS = 60
_WRITTEN = bytes(8_192)
_FLUSHES = 50


@contextmanager
def running_sqlite() -> Iterator[str]:
    """Give the URL of a database file that is removed at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="venturi-bench-") as folder:
        yield f"sqlite:///{folder}/venturi.sqlite"


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Run a PostgreSQL and give the URL of its empty database; everything is removed at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="venturi-bench-"))
    user = _ACCOUNT if os.geteuid() == 0 else None
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    try:
        files = folder / "files"
        _run([_program("initdb"), "-D", str(files), "-A", "trust", "-U", _ACCOUNT, "-E", "UTF8"], user)
        with _serving(files, folder, user):
            yield f"postgresql://{_ACCOUNT}@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


POSTGRESQL, SQLITE = "PostgreSQL", "SQLite"

DATABASES: Mapping[str, Callable[[], AbstractContextManager[str]]] = {POSTGRESQL: running_postgresql, SQLITE: running_sqlite}
"""What runs each database, by its name."""


def has_postgresql() -> bool:
    """Tell whether this machine has PostgreSQL's programs."""
    return all(_find(name) is not None for name in ("initdb", "postgres", "pg_isready"))


def measure_flush() -> float:
    """Give the seconds in which the disk below both databases keeps 8 KiB for good."""
    with tempfile.NamedTemporaryFile(prefix="venturi-bench-", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(_FLUSHES):
            file.write(_WRITTEN)
            os.fsync(file.fileno())
        return (time.perf_counter() - began) / _FLUSHES


@contextmanager
def _serving(files: Path, folder: Path, user: str | None) -> Iterator[None]:
    settings = [word for setting in (*POSTGRESQL_SETTINGS, f"unix_socket_directories={folder}") for word in ("-c", setting)]
    command = [_program("postgres"), "-D", str(files), *settings]
    with (
        (folder / "output").open("wb") as output,
        subprocess.Popen(command, user=user, extra_groups=[] if user else None, cwd=folder, stdout=output, stderr=output) as process,
    ):
        try:
            _wait_until_ready(folder)
            yield
        finally:
            process.terminate()


def _wait_until_ready(folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while subprocess.run([_program("pg_isready"), "-q", "-h", str(folder)], check=False).returncode:
        if time.monotonic() > deadline:
            message = f"PostgreSQL does not start:\n{(folder / 'output').read_text(encoding='utf-8', errors='replace')[-2000:]}"
            raise ProgramFailedError(message)
        time.sleep(0.1)


def _run(command: Sequence[str], user: str | None) -> None:
    done = subprocess.run(command, user=user, extra_groups=[] if user else None, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{command[0]} failed with {done.returncode}:\n{done.stderr[-1000:]}"
        raise ProgramFailedError(message)


def _program(name: str) -> str:
    return str(_find(name) or name)


def _find(name: str) -> Path | None:
    """Find a program of PostgreSQL, which Debian keeps in a folder for each version."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return kept[-1] if kept else find_program(name)
