"""What a program wrote, operation by operation.

Owns the compiling of the library that logs it (``written.c``), the running of a program under it and the reading of the log.
"""

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.support.sources import ROOT

_SOURCE = Path(__file__).with_name("written.c")
_HEAD = struct.Struct("=cQQH")
MARKS = "marks"
"""The file in the folder to which a program writes, unbuffered, what it holds to be done for good."""


class Action(Enum):
    """What was done to a file; ``SYNC`` is fsync or fdatasync, of a file or of a folder."""

    CREATE = b"c"
    WRITE = b"w"
    TRUNCATE = b"t"
    SYNC = b"s"
    UNLINK = b"u"


@dataclass(frozen=True)
class Operation:
    """One action on the file ``name``, relative to the folder; for ``TRUNCATE`` the ``offset`` is the new length."""

    action: Action
    name: str
    offset: int
    octets: bytes


def record_operations(program: Path, folder: Path, build: Path) -> list[Operation]:
    """Run a Python program, with ``folder`` as its argument, to its end, and list what it did to files there; ``build`` holds the tools."""
    library, log = build / "written.so", build / "operations"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", str(library), str(_SOURCE), "-ldl"], check=True)
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "CRASH_POINTS_FOLDER": str(folder),
        "CRASH_POINTS_LOG": str(log),
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([sys.executable, str(program), str(folder)], env=environment, check=True)
    return list(_read(log.read_bytes(), folder))


def _read(log: bytes, folder: Path) -> Iterator[Operation]:
    place = 0
    while place < len(log):
        code, offset, length, path_length = _HEAD.unpack_from(log, place)
        place += _HEAD.size
        path = Path(os.fsdecode(log[place : place + path_length]))
        place += path_length
        action = Action(code)
        octets = log[place : place + length] if action is Action.WRITE else b""
        place += len(octets)
        yield Operation(action, str(path.relative_to(folder)), offset, octets)


def done_before(operations: Sequence[Operation], number: int) -> list[bytes]:
    """Give the lines that the program had written to ``MARKS`` before an operation."""
    written = b"".join(operation.octets for operation in operations[:number] if operation.name == MARKS)
    return written.splitlines()
