"""Standard output, which can be full, closed, no place for some characters, or a screen that is too small; and what is said beside it."""

import io
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import TextIO

import rich_click as click

from venturi.core.domain.errors import UnreadableFileError


class _Screenful(io.StringIO):
    """Text that is made for a terminal, and held until it is known whether it needs a pager."""

    def isatty(self) -> bool:
        """Tell that it ends on a terminal."""
        return True


def write_standard_output(write: Callable[[TextIO], None]) -> None:
    """Let ``write`` write to standard output; raises ``UnreadableFileError`` where that cannot be written.

    A character that the output's encoding lacks is written as its escape.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        write(sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"standard output: cannot be written: {error.strerror}"
        raise UnreadableFileError(message) from error


def write_paged(write: Callable[[TextIO], None]) -> None:
    """Write as ``write_standard_output`` does; on a terminal, what is longer than the screen goes through a pager (``PAGER``, or less)."""
    if not sys.stdout.isatty():
        write_standard_output(write)
        return
    text = _Screenful()
    write(text)
    if text.getvalue().count("\n") < shutil.get_terminal_size().lines:
        write_standard_output(lambda stream: _write_text(text.getvalue(), stream))
    else:
        click.echo_via_pager(text.getvalue(), color=True)


def _write_text(text: str, stream: TextIO) -> None:
    stream.write(text)


def write_note(note: str) -> None:
    """Write a note to standard error."""
    write_sentence(f"note: {note}")


def write_sentence(sentence: str) -> None:
    """Write a sentence to standard error, in lines that fit if that is a terminal. No word is broken, for whoever copies it."""
    lines = sentence.splitlines()
    if sys.stderr is not None and sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        lines = [part for line in lines for part in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [line]]
    click.echo("\n".join(lines), err=True)
