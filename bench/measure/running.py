"""Programs that run beside the benchmark: starting, waiting until they are ready, ending, and what they take and hold meanwhile.

Owns no command. What the kernel tells of a process it tells in ``/proc``.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure.processes import ProgramFailedError

_START_SECONDS = 120


@dataclass(frozen=True)
class RunningProcess:
    """A process by its id."""

    process_id: int

    def resident_octets(self) -> int:
        """Give the memory that the process holds now (VmRSS)."""
        return self._status("VmRSS")

    def peak_octets(self) -> int:
        """Give the most memory that the process has held (VmHWM)."""
        return self._status("VmHWM")

    def cpu_seconds(self) -> float:
        """Give the processor time that the process has taken so far, to a hundredth of a second."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, entry: str) -> int:
        lines = Path(f"/proc/{self.process_id}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(entry))


@contextmanager
def running_program(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a program until the end of the block, when it is killed; what it writes goes to ``log``."""
    told = {**os.environ, **(environment or {})}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=told) as process,
    ):
        try:
            yield process, log
        finally:
            process.kill()


def wait_for_line(process: subprocess.Popen[bytes], log: Path, sign: str) -> str:
    """Give the first line of a log that holds ``sign``; raise ``ProgramFailedError`` where none comes, or the program ends before."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
            if sign in line and line.endswith("\n"):
                return line
        time.sleep(0.1)
    message = f"{log.stem} is not ready:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
    raise ProgramFailedError(message)
