"""What ``venturi config`` needs: the settings of this machine and the example of their file."""

import sys
from functools import partial
from pathlib import Path

from venturi.composition.together import EXAMPLES
from venturi.interfaces.render.resources.view import View

EXAMPLE: Path = EXAMPLES / "venturi.toml"
"""The configuration file in which every setting has its default and is explained."""

_NOTHING_WRONG = 0


def show_settings(config_path: str | None, view: View, *, only_set: bool) -> int:
    """Write each setting with its value and where that came from; give the exit code."""
    from dataclasses import replace

    from venturi.config.sources import DEFAULT, list_sources
    from venturi.interfaces.render.resources.output import write_list
    from venturi.interfaces.render.resources.selection import choose_columns
    from venturi.interfaces.standard_output import write_paged

    sources = [each for each in list_sources(config_path) if not only_set or each.origin != DEFAULT]
    rows = [{"setting": each.setting, "value": each.shown, "from": each.origin} for each in sources]
    known = ("setting", "value", "from")
    columns = choose_columns(view.columns, known, known)
    order = choose_columns(view.sort_columns, known, ())
    write_paged(partial(write_list, rows, columns, replace(view, columns=(), sort_columns=order)))
    return _NOTHING_WRONG


def print_example() -> int:
    """Write the example of the configuration file; give the exit code."""
    sys.stdout.write(EXAMPLE.read_text(encoding="utf-8"))
    return _NOTHING_WRONG
