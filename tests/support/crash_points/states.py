"""The states of files after a crash: a process killed, or a power cut that loses what was not synchronised.

Owns what a file system may do with writes that were not synchronised: lose them all, or keep any of them, torn at the borders of sectors.
A file is there after a power cut if its folder was synchronised since it was made; whether a removed one is, is as uncertain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.support.crash_points.operations import MARKS, Action, Operation, done_before

_SECTOR = 512
_FOLDER = "."
_SHARES = (0.1, 0.5, 0.9, 1.0)
"""How much of what was not synchronised a power cut may leave."""

Files = dict[str, bytes]


@dataclass(frozen=True)
class CrashState:
    """What is on the disk after a crash just before operation ``number``, and the marks that were written by then."""

    number: int
    kind: str
    files: Files
    marks: Sequence[bytes]

    def lay_down(self, folder: Path) -> None:
        """Write the files into an empty folder."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def crash_states(operations: Sequence[Operation], seed: int) -> Iterator[CrashState]:
    """Give, for every operation, each distinct state in which a crash before it can leave the files, and one of the many torn ones."""
    chance = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    disk = _Disk()
    known: set[int] = set()
    for number, operation in enumerate([*operations, None]):
        marks = done_before(operations, number)
        for kind, files in (("killed", disk.seen()), ("lost", disk.synchronised()), ("torn", disk.torn(chance))):
            likeness = hash((len(marks), tuple(sorted(files.items()))))
            if likeness not in known:
                known.add(likeness)
                yield CrashState(number, kind, files, marks)
        if operation is not None and operation.name != MARKS:
            disk.do(operation)


@dataclass
class _File:
    """A file as programs see it, as it is on the disk for certain, and what was done in between."""

    seen: bytearray = field(default_factory=bytearray)
    synchronised: bytes = b""
    pending: list[Operation] = field(default_factory=list)
    removed: bool = False


@dataclass
class _Disk:
    files: dict[str, _File] = field(default_factory=dict)
    entered: set[str] = field(default_factory=set)

    def do(self, operation: Operation) -> None:
        if operation.action is Action.SYNC and operation.name == _FOLDER:
            self._synchronise_folder()
            return
        if operation.action is Action.CREATE:
            self.files[operation.name] = _File()
            return
        file = self.files[operation.name]
        if operation.action is Action.UNLINK:
            file.removed = True
        elif operation.action is Action.SYNC:
            file.synchronised, file.pending = bytes(file.seen), []
        else:
            _apply(operation, file.seen)
            file.pending.append(operation)

    def _synchronise_folder(self) -> None:
        self.files = {name: file for name, file in self.files.items() if not file.removed}
        self.entered = set(self.files)

    def seen(self) -> Files:
        return {name: bytes(file.seen) for name, file in self.files.items() if not file.removed}

    def synchronised(self) -> Files:
        return {name: file.synchronised for name, file in self.files.items() if name in self.entered}

    def torn(self, chance: Random) -> Files:
        """Keep some of what was not synchronised."""
        share = chance.choice(_SHARES)
        kept = [name for name, file in self.files.items() if (name in self.entered and not file.removed) or chance.random() < 0.5]
        return {name: _keep_some(self.files[name], share, chance) for name in kept}


def _keep_some(file: _File, share: float, chance: Random) -> bytes:
    content = bytearray(file.synchronised)
    for operation in file.pending:
        if operation.action is Action.TRUNCATE:
            if chance.random() < share:
                _apply(operation, content)
            continue
        for begin in range(0, len(operation.octets), _SECTOR):
            if chance.random() < share:
                part = operation.octets[begin : begin + _SECTOR]
                _apply(Operation(Action.WRITE, operation.name, operation.offset + begin, part), content)
    return bytes(content)


def _apply(operation: Operation, content: bytearray) -> None:
    if operation.action is Action.TRUNCATE:
        del content[operation.offset :]
        content.extend(bytes(operation.offset - len(content)))
        return
    content.extend(bytes(max(0, operation.offset - len(content))))
    content[operation.offset : operation.offset + len(operation.octets)] = operation.octets
