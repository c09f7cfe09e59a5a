"""Programs that are killed and begin again, until they are to run no more.

Owns one process at a time. What it does is its own affair.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_STOP_SECONDS = 30.0


class Restarted:
    """A program that can be killed and begun again; all of its output goes to ``log``."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, user: str | None = None) -> None:
        self._command = list(command)
        self._environment = {**os.environ, **(environment or {})}
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self.log = log
        self.kills = 0

    @property
    def running(self) -> bool:
        """Whether the program runs now."""
        return self._process is not None and self._process.poll() is None

    def children(self) -> list[int]:
        """List the ids of the processes that it has begun itself."""
        if self._process is None:
            return []
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(child) for child in listed.read_text(encoding="ascii").split()] if self.running else []

    def begin(self) -> None:
        """Begin, unless it runs."""
        if self.running:
            return
        with self.log.open("ab") as output:
            groups: list[int] | None = [] if self._user else None
            self._process = subprocess.Popen(
                self._command, stdout=output, stderr=output, env=self._environment, user=self._user, extra_groups=groups
            )

    def kill(self) -> None:
        """End it at once, wherever it is (SIGKILL)."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)
            self.kills += 1
