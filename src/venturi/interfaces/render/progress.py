"""The line that shows how far a command has come, on a terminal and nowhere else.

Owns what the line says, and that quick work shows none. How much was done is told by whoever does it.
"""

import sys
import threading
from enum import StrEnum
from typing import Self, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

_NAME_WIDTH = 30
_PATIENCE = 2.0
"""In seconds: work that is done by then shows no line."""


class Unit(StrEnum):
    """What is counted."""

    OCTETS = "octets"
    ROWS = "rows"
    PARTS = "parts"
    WHOLE = "whole"
    """Nothing: the work is done in one step, of which it is only known for how long it lasts."""


class ProgressLine:
    """Shows how much is done, of how much, and the time left; silent where ``stream`` is no terminal, or when ``quiet``.

    To be used as a context: the line appears ``patience`` seconds after its beginning and disappears at its end. ``stream`` is standard
    error in a command.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False, unit: Unit = Unit.OCTETS, patience: float = 0.0) -> None:
        """Prepare the line; nothing is written before the context begins."""
        disabled = quiet or not stream.isatty()
        console = Console(file=stream)
        self._progress = Progress(*_columns(unit), console=console, transient=True, disable=disabled, refresh_per_second=5)
        self._task: TaskID | None = None
        self._timer = threading.Timer(patience, self._progress.start) if patience and not disabled else None

    def __enter__(self) -> Self:
        """Show the line, once its time has come."""
        if self._timer is None:
            self._progress.start()
        else:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        """Take the line away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        self._progress.stop()

    def begin(self, name: str, whole: int | None) -> None:
        """Start on a part of ``whole`` in all, or of a length that is not known (None)."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        shown = name if len(name) <= _NAME_WIDTH else f"…{name[1 - _NAME_WIDTH :]}"
        self._task = self._progress.add_task(shown, total=whole)

    def update(self, done: int) -> None:
        """Show how much of the part is done."""
        if self._task is not None:
            self._progress.update(self._task, completed=done)


def _columns(unit: Unit) -> list[ProgressColumn]:
    name, bar = TextColumn("{task.description}", markup=False), BarColumn(bar_width=None)
    match unit:
        case Unit.OCTETS:
            return [name, bar, DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(compact=True)]
        case Unit.WHOLE:
            return [name, bar, TimeElapsedColumn()]
        case _:
            return [name, bar, MofNCompleteColumn(), TextColumn(unit.value), TimeElapsedColumn(), TimeRemainingColumn(compact=True)]


def show_progress(*, quiet: bool) -> ProgressLine:
    """Make the progress line of a command that reads inputs, on standard error."""
    return ProgressLine(sys.stderr, quiet=quiet)


def progress_of(unit: Unit, *, quiet: bool = False) -> ProgressLine:
    """Make the progress line of any other command, on standard error; it appears if the work takes longer than one waits gladly."""
    return ProgressLine(sys.stderr, quiet=quiet, unit=unit, patience=_PATIENCE)


def announce(sentence: str) -> None:
    """Say on standard error why the command is going to take its time."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
