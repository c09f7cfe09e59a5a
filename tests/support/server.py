"""The real server as a process of its own, on a free loopback port, for tests that speak HTTP to it.

Owns starting, waiting and ending. ``server`` is the fixture of a server without authentication on an empty SQLite database.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

from venturi.composition.server import create_token_locally
from venturi.core.domain.control.principal import Role
from venturi.services.control.tokens import NewToken

START_SECONDS = 60.0
STOP_SECONDS = 40.0


@dataclass
class ServerProcess:
    """A running ``venturi serve``: ``url`` is where, ``log`` the lines that it has written."""

    process: subprocess.Popen[str]
    database: str
    log: list[dict[str, Any]] = field(default_factory=list)
    raw_log: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None, form: object = None
    ) -> urllib3.BaseHTTPResponse:
        """Ask the server; ``form`` is sent as JSON."""
        with urllib3.PoolManager(retries=False, timeout=30) as pool:
            if form is not None:
                body = json.dumps(form).encode()
            return pool.request(method, self.url + path, headers=dict(headers or {}), body=body)

    def resident_octets(self) -> int:
        """Give the memory that the process holds (VmRSS)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def wait_for_log(self, event: str, seconds: float = START_SECONDS, **expected: object) -> dict[str, Any]:
        """Give the first line of an event with these details, once it is there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in list(self.log):
                if line.get("event") == event and expected.items() <= line.items():
                    return line
            if self.process.poll() is not None and event != "stopped":
                break
            time.sleep(0.01)
        raise AssertionError(f"no line {event} {expected} in the log:\n" + "".join(self.raw_log))

    def stop(self) -> int:
        """Send SIGTERM and give the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


def make_token(database: str, role: str = "admin", project: str = "default", **bound: Any) -> str:  # noqa: ANN401 - fields of a token
    """Make a token on the database itself, before a server runs on it, and give its secret."""
    return create_token_locally(database, NewToken(role=Role(role), project_id=project, **bound))[1]


BY_PLAN_FILES = "[ledger]\nplan_file_hosts = ['edge-1', 'edge-2']\n"
"""The configuration of a server that believes the hosts of tests, so that batches can name points and labels as they like."""


@contextmanager
def running_server(
    folder: Path,
    *options: str,
    database: str = "",
    config: str = "",
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
) -> Iterator[ServerProcess]:
    """Run ``venturi serve`` on a free port until the end of the block; ``config`` is the text of a configuration file.

    ``python`` is the interpreter, and so the version of venturi.
    """
    database = database or f"sqlite:///{folder / 'venturi.db'}"
    arguments = [python, "-m", "venturi", "serve", "--listen", "127.0.0.1:0", "--database", database, *options]
    if config:
        (folder / "venturi.toml").write_text(config, encoding="utf-8")
        arguments += ["--config", str(folder / "venturi.toml")]
    surroundings = {**os.environ, **(environment or {})}
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=surroundings) as child:
        server = ServerProcess(child, database)
        reader = threading.Thread(target=_read_log, args=(server,), daemon=True)
        reader.start()
        try:
            server.url = server.wait_for_log("listening")["urls"][0]
            _wait_until_ready(server)
            yield server
        finally:
            try:
                server.stop()
            finally:
                child.kill()
                reader.join(STOP_SECONDS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A running server without authentication on an empty SQLite database."""
    with running_server(tmp_path) as running:
        yield running


def _read_log(server: ServerProcess) -> None:
    for line in server.process.stderr or ():
        server.raw_log.append(line)
        if line.startswith("{"):
            server.log.append(json.loads(line))


def _wait_until_ready(server: ServerProcess) -> None:
    if server.url.startswith("https"):
        return
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.request("GET", "/healthz/ready").status == 200:
            return
        time.sleep(0.05)
    raise AssertionError("the server is not ready:\n" + "".join(server.raw_log))
