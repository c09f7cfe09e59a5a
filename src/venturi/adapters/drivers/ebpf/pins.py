"""Pins: where in the BPF file system what is of one device and generation lies.

Owns the names of folders and files, the lock on them, and their removal. What a pin holds is for those who open it.

    <bpffs>/venturi/<layout version>/<point>/<device>/attached/         the program that stays, the slot of the current one, links
                                                     /<generation id>/  its program, counters and record
                                                     /pending_<id>/     the same before the switch
                                                     /removed_<name>/   what is left of one while it is removed
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from venturi.core.domain.errors import DriverError, GenerationGoneError
from venturi.core.domain.generation import Generation, MeteredDevice

META, PROGRAM = "meta", "program"
"""The pins of a generation beside those of its counters."""

ROOT = "root"
"""The pin of the program that stays at the hooks."""

_FOLDER = "venturi"
_ATTACHED = "attached"
_PENDING = "pending_"
_REMOVED = "removed_"
_PLAIN_NAME = re.compile(r"[0-9A-Za-z_-]{1,128}")
_DIGEST_DIGITS = 24


class DevicePins:
    """The folder of one device of a point."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.attached = folder / _ATTACHED

    def pending(self, generation: Generation) -> Path:
        """Give the folder in which a generation waits for its switch."""
        return self.folder / f"{_PENDING}{generation.id}"

    def generation(self, generation: Generation) -> Path:
        """Give the folder of a generation after its switch."""
        return self.folder / generation.id

    def list_pending(self) -> list[Path]:
        """List the folders of generations of whose switch nothing is known."""
        return [path for path in _list(self.folder) if path.name.startswith(_PENDING)]

    def list_generations(self) -> list[Path]:
        """List the folders of generations that were switched on, replaced ones included."""
        return [path for path in _list(self.folder) if path != self.attached and not path.name.startswith((_PENDING, _REMOVED))]

    def settle(self, pending: Path) -> None:
        """Give a pending folder its name for good."""
        pending.rename(self.folder / pending.name.removeprefix(_PENDING))

    def discard(self, folder: Path) -> None:
        """Remove a generation, pending or not: from one moment on it is none, whatever a process that dies leaves of its folder."""
        removed = folder.rename(self.folder / f"{_REMOVED}{folder.name}")
        remove_folder(removed)

    def clear(self) -> None:
        """Remove what dead processes left of generations that were removed."""
        for path in _list(self.folder):
            if path.name.startswith(_REMOVED):
                remove_folder(path)

    def take_over(self, older: Self) -> None:
        """Have the attachment of another layout, if there is one, instead of one of its own."""
        if older.attached.exists() and not self.attached.exists():
            make_folder(self.folder)
            older.attached.rename(self.attached)

    def remove_if_empty(self) -> None:
        """Remove the folders of the device and of its point if nothing is left in them."""
        for folder in (self.folder, self.folder.parent):
            if folder.exists() and not _list(folder):
                folder.rmdir()


class Pins:
    """All pins below one BPF file system, by ``versions`` of the layout: the first is written, and the older ones are read too."""

    def __init__(self, bpffs: Path, versions: Sequence[str]) -> None:
        self._root = bpffs / _FOLDER
        self._versions = versions

    def device(self, metered: MeteredDevice) -> DevicePins:
        """Give the folder of a device in the layout that is written."""
        return self._device(self._versions[0], metered)

    def older(self, metered: MeteredDevice) -> list[DevicePins]:
        """Give the folders that a device may have in older layouts."""
        return [self._device(version, metered) for version in self._versions[1:]]

    def find(self, metered: MeteredDevice, generation: Generation) -> tuple[DevicePins, Path]:
        """Find a generation in any layout that is read; raises ``GenerationGoneError`` where it is none."""
        for device in (self.device(metered), *self.older(metered)):
            folder = device.generation(generation)
            if folder.exists():
                return device, folder
        message = f"the counters of generation '{generation.id}' at '{metered.device}' are gone"
        raise GenerationGoneError(message)

    def list_devices(self) -> Sequence[DevicePins]:
        """List the folders of all devices in layouts that are read."""
        points = [point for version in self._versions for point in _list(self._root / version)]
        return [DevicePins(folder) for point in points for folder in _list(point)]

    def list_roots(self) -> list[Path]:
        """List the pins of the programs that stay at the hooks, of all devices."""
        return [pin for pin in (device.attached / ROOT for device in self.list_devices()) if pin.exists()]

    def remove_all(self) -> None:
        """Remove the pins of every layout version, which stops all counting that links do."""
        remove_folder(self._root)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from changing pins while the block runs; a process that dies lets go."""
        try:
            self._root.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            message = f"'{self._root}' cannot be made: {error.strerror}"
            raise DriverError(message) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _device(self, version: str, metered: MeteredDevice) -> DevicePins:
        place = "\0".join((metered.namespace or "", metered.device, metered.traffic, metered.hook))
        return DevicePins(self._root / version / _name(metered.point_id) / _digest(place))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; raises ``DriverError``."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"'{folder}' cannot be made: {error.strerror}"
        raise DriverError(message) from error


def remove_folder(folder: Path) -> None:
    """Remove a folder and all pins in it, if it is there."""
    if not folder.is_dir():
        return
    for path in _list(folder):
        if path.is_dir():
            remove_folder(path)
        else:
            path.unlink()
    folder.rmdir()


def _list(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _name(text: str) -> str:
    """Name a folder; the BPF file system takes no dots."""
    return text if _PLAIN_NAME.fullmatch(text) else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]
