"""Programs as processes: wall time, CPU time and memory of each run, by turns.

Owns the running and the medians. The process that runs them stays small, for the kernel counts its memory as theirs until they begin.
"""

import json
import math
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TAIL_OCTETS = 65_536
_CHUNK_OCTETS = 1 << 20
_MOST_STARTS = 3
_NOISE = 0.05


class ProgramFailedError(Exception):
    """A program ended with an error, or gave figures that are not those of its input."""


@dataclass(frozen=True)
class Run:
    """One run of a program: seconds on the wall clock and of all cores, octets of memory at most, the end of its output."""

    wall: float
    cpu: float
    peak_octets: int
    output: str


@dataclass(frozen=True)
class Contender:
    """A program to be measured on ``records`` flow records or packets.

    ``start_up`` is the same command on next to nothing, whose time is taken off. ``check`` looks at the output and says what is wrong
    with it, if anything. A program that ``reports_itself`` prints the seconds that count as JSON: ``wall`` and ``cpu``. ``reads`` are the
    large files that it reads, which are in the page cache whenever it begins.
    """

    name: str
    records: int
    command: Sequence[str]
    start_up: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[str], str] = lambda _: ""
    reports_itself: bool = False
    reads: Sequence[Path] = ()


@dataclass(frozen=True)
class Figures:
    """The medians of a contender; ``start_wall`` and ``start_cpu`` are those of starting up, contained in the others."""

    contender: Contender
    wall: float
    cpu: float
    start_wall: float
    start_cpu: float
    peak_octets: int

    @property
    def wall_rate(self) -> float:
        """Records per second on the wall clock, starting up taken off; NaN where too little is left to tell."""
        return _rate(self.contender.records, self.wall, self.start_wall)

    @property
    def cpu_rate(self) -> float:
        """Records per second of one core, starting up taken off; NaN where too little is left to tell."""
        return _rate(self.contender.records, self.cpu, self.start_cpu)


def measure(contenders: Sequence[Contender], runs: int) -> list[Figures]:
    """Run all contenders by turns, ``runs`` times each, and give their medians in order; starting up is run three times at most."""
    for contender in contenders:
        _warm(contender)
    starts: list[list[Run]] = [[] for _ in contenders]
    wholes: list[list[Run]] = [[] for _ in contenders]
    for turn in range(runs):
        for contender, started, whole in zip(contenders, starts, wholes, strict=True):
            if turn < _MOST_STARTS:
                started.append(_start(contender))
            whole.append(_run(contender))
    return [_summarise(*measured) for measured in zip(contenders, starts, wholes, strict=True)]


def run_program(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end; raises ``ProgramFailedError`` if it fails."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            message = f"{' '.join(command)} failed with {process.returncode}:\n{_tail(errors.fileno())}"
            raise ProgramFailedError(message)
        return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, _tail(output.fileno()))


def read_through(paths: Iterable[Path]) -> None:
    """Read files to their ends, so that a program that reads them next waits for no disk, whatever ran before it."""
    room = memoryview(bytearray(_CHUNK_OCTETS))
    for path in paths:
        with path.open("rb", buffering=0) as stream:
            while stream.readinto(room):
                pass


def find_program(name: str) -> Path | None:
    """Find a program, also where only the administrator's shell looks."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    return next((Path(folder) / name for folder in folders if os.access(Path(folder) / name, os.X_OK)), None)


def _warm(contender: Contender) -> None:
    """Run what is quick once, so that files and compiled code are in their caches."""
    if contender.start_up:
        run_program(contender.start_up, contender.environment)


def _start(contender: Contender) -> Run:
    return run_program(contender.start_up, contender.environment) if contender.start_up else Run(0.0, 0.0, 0, "")


def _run(contender: Contender) -> Run:
    read_through(contender.reads)
    run = run_program(contender.command, contender.environment)
    wrong = contender.check(run.output)
    if wrong:
        message = f"{contender.name}: {wrong}"
        raise ProgramFailedError(message)
    if contender.reports_itself:
        told = json.loads(run.output)
        return Run(told["wall"], told["cpu"], run.peak_octets, run.output)
    return run


def _summarise(contender: Contender, starts: Sequence[Run], wholes: Sequence[Run]) -> Figures:
    return Figures(
        contender,
        wall=statistics.median(run.wall for run in wholes),
        cpu=statistics.median(run.cpu for run in wholes),
        start_wall=statistics.median(run.wall for run in starts),
        start_cpu=statistics.median(run.cpu for run in starts),
        peak_octets=max(run.peak_octets for run in wholes),
    )


def _rate(records: int, whole: float, start: float) -> float:
    net = whole - start
    return records / net if net > _NOISE * start else math.nan


def _tail(descriptor: int) -> str:
    """Read the end of a file: the totals of every program stand there."""
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, _TAIL_OCTETS, max(0, size - _TAIL_OCTETS)).decode("utf-8", errors="replace")
