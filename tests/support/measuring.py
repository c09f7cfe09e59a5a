"""What requests cost a running server: processor time, memory, and how long others wait meanwhile.

Owns the measuring, from outside the process (proc(5), clock_getcpuclockid(3)). What may be spent is for the tests.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from tests.support.server import ServerProcess

_PAUSE = 0.02
_RESET_PEAK = "5"
_SCHEDULED = 2


@dataclass
class Cost:
    """What was spent: seconds of processor time, octets of memory at most beyond what was held before, and waits of a small request.

    ``kept`` are the parts of these waits that are the server's doing: no more than the processor time that it took meanwhile, and without
    the time for which the machine let its event loop and one more thread, which an answer may pass, wait for a processor.
    """

    processor_seconds: float = 0.0
    peak_octets: int = 0
    waits: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)

    @property
    def longest_kept(self) -> float:
        """The longest for which the server kept a small request waiting, in seconds."""
        return max(self.kept, default=0.0)

    @property
    def wait(self) -> float:
        """The longest wait but one, which is less of a matter of chance than the longest."""
        return sorted(self.waits)[-2] if len(self.waits) > 1 else 0.0


@contextmanager
def measured(server: ServerProcess, small: str = "/healthz/live") -> Iterator[Cost]:
    """Measure what is done in the block, while somebody else asks for something small."""
    cost, over = Cost(), threading.Event()
    Path(f"/proc/{server.process.pid}/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    before, held = processor_seconds(server), server.resident_octets()
    asking = threading.Thread(target=_ask, args=(server, small, cost, over), daemon=True)
    asking.start()
    try:
        yield cost
    finally:
        over.set()
        asking.join()
        cost.processor_seconds = processor_seconds(server) - before
        cost.peak_octets = max(0, _peak_octets(server) - held)


def processor_seconds(server: ServerProcess) -> float:
    """Give the processor time that the server has taken."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_octets(server: ServerProcess) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def _ask(server: ServerProcess, small: str, cost: Cost, over: threading.Event) -> None:
    with urllib3.PoolManager(retries=False, timeout=60) as pool:
        while not over.wait(_PAUSE):
            began, before, waited = time.perf_counter(), _processor_time(server), _delays(server)
            assert pool.request("GET", server.url + small).status == 200
            seconds = time.perf_counter() - began
            cost.waits.append(seconds)
            cost.kept.append(min(seconds - _delayed(server.process.pid, waited, _delays(server)), _processor_time(server) - before))


def _processor_time(server: ServerProcess) -> float:
    """Give the seconds of processor time that the server has taken, to the nanosecond."""
    return time.clock_gettime((~server.process.pid << 3) | _SCHEDULED)


def _delays(server: ServerProcess) -> dict[int, float]:
    """Give the seconds for which each thread of the server has waited for a processor; its event loop runs in the first."""
    delays = {}
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        with suppress(OSError):  # the thread has ended
            delays[int(task.name)] = int((task / "schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    return delays


def _delayed(loop: int, before: dict[int, float], after: dict[int, float]) -> float:
    """Give for how long the machine let the event loop wait, and that other thread which waited longest."""
    waited = {thread: delay - before.get(thread, 0.0) for thread, delay in after.items()}
    return waited.pop(loop) + max(waited.values(), default=0.0)
