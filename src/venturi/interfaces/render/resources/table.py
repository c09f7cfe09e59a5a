"""Tables of text for people: aligned, no wider than the terminal where that can be, without blanks at the ends of lines.

Owns widths and folding. A table of many rows is written in one go, which a general layout engine takes minutes for.
"""

import shutil
import textwrap
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest
from typing import TextIO

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.console import Console

_GAP = "  "
_NARROWEST = 8
_BOLD, _RED, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[0m"

Cell = Sequence[str]
"""What stands in a cell: its lines."""


def write_table(
    headings: Sequence[str], rows: Sequence[Sequence[Cell]], stream: TextIO, *, unbroken: int, red: Collection[int] = ()
) -> None:
    """Write a heading, a rule and the rows; on a terminal, long cells are folded so that the lines fit.

    There, the last cell of the rows numbered in ``red`` is so, unless ``NO_COLOR`` is set.

    Headings, and cells without blanks of up to ``unbroken`` characters, are never folded, so that an id can be copied whole; a table
    that cannot be narrower is wider than the terminal.
    """
    terminal = stream.isatty()
    widths = [max(needed) for needed in _needed_widths(headings, rows)]
    if terminal:
        widths = _narrowed(widths, _least_widths(headings, rows, unbroken), shutil.get_terminal_size().columns)
    heading = "\n".join(_lines([[name] for name in headings], widths))
    stream.write(f"{_BOLD}{heading}{_PLAIN}\n" if terminal else f"{heading}\n")
    stream.write(_GAP.join("─" * width for width in widths) + "\n")
    coloured = red if terminal and not Console(file=stream).no_color else ()
    last = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    for number, row in enumerate(rows):
        lines = _lines(row, widths)
        stream.writelines(f"{_redden(line, last) if number in coloured else line}\n" for line in lines)


def _needed_widths(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[set[int]]:
    """Give the widths of all that stands in each column."""
    needed = [{cell_len(name)} for name in headings]
    for row in rows:
        for widths, cell in zip(needed, row, strict=True):
            widths.update(map(cell_len, cell))
    return needed


def _least_widths(headings: Sequence[str], rows: Sequence[Sequence[Cell]], unbroken: int) -> list[int]:
    """Give the width below which no column goes."""
    whole = [[[line for line in cell if " " not in line and cell_len(line) <= unbroken] for cell in row] for row in rows]
    return [max(_NARROWEST, *needed) for needed in _needed_widths(headings, whole)]


def _narrowed(widths: Sequence[int], least: Sequence[int], available: int) -> list[int]:
    """Take from the columns with the most to spare until the lines fit."""
    narrowed = list(widths)
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - available
    while excess > 0:
        spare = [width - floor for width, floor in zip(narrowed, least, strict=True)]
        if max(spare) <= 0:
            break
        narrowed[spare.index(max(spare))] -= 1
        excess -= 1
    return narrowed


def _lines(row: Sequence[Cell], widths: Sequence[int]) -> Iterator[str]:
    """Lay the cells of a row side by side; most have one line."""
    folded = [_fold(cell, width) for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*folded, fillvalue=""):
        yield _GAP.join(set_cell_size(part, width) for part, width in zip(parts, widths, strict=True)).rstrip()


def _redden(line: str, width: int) -> str:
    """Colour what stands beyond the first ``width`` cells of a line."""
    before = set_cell_size(line, width)
    return f"{before}{_RED}{line[len(before) :]}{_PLAIN}" if cell_len(line) > width else line


def _fold(cell: Cell, width: int) -> list[str]:
    return [part for line in cell for part in (_fold_line(line, width) if cell_len(line) > width else [line])]


def _fold_line(line: str, width: int) -> list[str]:
    """Fold between words, and within those that are too long; text with wide characters anywhere."""
    return textwrap.wrap(line, width) if cell_len(line) == len(line) else chop_cells(line, width)
