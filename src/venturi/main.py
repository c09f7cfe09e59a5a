"""The entry: runs a command and turns errors into one sentence and an exit code.

Owns what a user sees when something is wrong. Commands let errors pass.
"""

import os
import sys
from typing import NoReturn

import rich_click as click

from venturi.cli import venturi
from venturi.core.domain.errors import VenturiError
from venturi.core.domain.text import hide_url_secrets
from venturi.interfaces.standard_output import write_sentence

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


def main() -> NoReturn:
    """Run the command line."""
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run the command line, by default that of the process, and give its exit code."""
    try:
        result = venturi.main(args=arguments, prog_name="venturi", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except VenturiError as error:
        write_sentence(f"venturi: {hide_url_secrets(str(error))}")
        _forget_unwritable_output()
        return error.exit_code
    return result if isinstance(result, int) else 0


def _forget_unwritable_output() -> None:
    """Keep the interpreter from complaining at exit about output that it could not write; that was said already."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
