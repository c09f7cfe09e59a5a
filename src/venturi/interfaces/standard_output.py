"""Standard output, which can be full, closed or no place for some characters."""

import io
import sys
from collections.abc import Callable
from typing import TextIO

from venturi.core.domain.errors import UnreadableFileError


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
