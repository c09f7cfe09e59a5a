"""The line that shows how far a run has come, on a terminal and nowhere else.

Owns what the line says. Which octets were read is told by whoever reads them.
"""

import sys
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

_NAME_WIDTH = 30


class ProgressLine:
    """Shows octets read, their rate and the time left; silent where ``stream`` is no terminal, or when ``quiet``.

    To be used as a context: the line disappears at its end. ``stream`` is standard error in a command.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        """Prepare the line; nothing is written before the context begins."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
        )
        disabled = quiet or not stream.isatty()
        self._progress = Progress(*columns, console=Console(file=stream), transient=True, disable=disabled, refresh_per_second=5)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show the line."""
        self._progress.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        """Take the line away."""
        self._progress.stop()

    def begin(self, name: str, total_octets: int | None) -> None:
        """Start on an input of ``total_octets``, or of a length that is not known (None)."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        shown = name if len(name) <= _NAME_WIDTH else f"…{name[1 - _NAME_WIDTH :]}"
        self._task = self._progress.add_task(shown, total=total_octets)

    def update(self, octets: int) -> None:
        """Say how many octets of the input have been read in all."""
        if self._task is not None:
            self._progress.update(self._task, completed=octets)


def show_progress(*, quiet: bool) -> ProgressLine:
    """Make the progress line of a command, on standard error."""
    return ProgressLine(sys.stderr, quiet=quiet)


def announce(sentence: str) -> None:
    """Say on standard error why the command is going to take its time."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
