"""Tables of text for people: aligned, no wider than the terminal where that can be, without blanks at the ends of lines.

Owns widths, folding and colours. A table of many rows is written in one go, which a general layout engine takes minutes for.
"""

import re
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import TextIO

from rich.cells import cell_len, chop_cells, set_cell_size

_GAP = "  "
_NARROWEST = 8
UUID_FORM = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHORTER = 18
"""How long a text without blanks is kept whole where longer ones do not fit."""

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
RED, GREEN, YELLOW, DIM = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[2m"
"""What colours a cell (ECMA-48 §8.3.117)."""

Cell = Sequence[str]
"""What stands in a cell: its lines."""

Colours = Mapping[tuple[int, int], str]
"""The colour of cells, by row and column."""


def write_table(  # noqa: PLR0913 - how a table looks has many sides
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    stream: TextIO,
    *,
    unbroken: int,
    red: Collection[int] = (),
    numbers: Collection[int] = (),
    colours: Colours = MappingProxyType({}),
    coloured: bool = True,
) -> None:
    """Write a heading, a rule and the rows; on a terminal, and where ``COLUMNS`` is set, long cells are folded so that the lines fit.

    On a terminal, if ``coloured``, cells have their ``colours``, and the last cell of the rows numbered in ``red`` is red. Columns in
    ``numbers`` are aligned to the right.

    Texts without blanks of up to ``unbroken`` characters are not folded if the lines fit all the same; a UUID never is, so that it can be
    copied whole.
    A table that cannot be narrower is wider than the terminal.
    """
    terminal = stream.isatty()
    widths = _fitted(headings, rows, unbroken, _available(stream))
    heading = "\n".join(_lines([[name] for name in headings], widths, numbers, {}))
    stream.write(f"{_BOLD}{heading}{_PLAIN}\n" if terminal else f"{heading}\n")
    stream.write(_GAP.join("─" * width for width in widths) + "\n")
    shown = terminal and coloured
    last = len(headings) - 1
    for number, row in enumerate(rows):
        chosen = {column: colours[number, column] for column in range(len(row)) if (number, column) in colours} if shown else {}
        if shown and number in red:
            chosen[last] = RED
        stream.writelines(f"{line}\n" for line in _lines(row, widths, numbers, chosen))


def _available(stream: TextIO) -> int | None:
    """Give the width that there is: the terminal's, or what ``COLUMNS`` says; None for as much as is needed."""
    if stream.isatty():
        return shutil.get_terminal_size().columns
    if sys.__stdout__ is not None and sys.__stdout__.isatty():
        return None
    return shutil.get_terminal_size(fallback=(0, 0)).columns or None


def _fitted(headings: Sequence[str], rows: Sequence[Sequence[Cell]], unbroken: int, available: int | None) -> list[int]:
    """Give the widths of the columns: as much as is needed, or less so that they fit, long words being the first to be given up."""
    widths = [max(needed) for needed in _needed_widths(headings, rows)]
    if available is None:
        return widths
    narrowed = widths
    for whole in (unbroken, min(unbroken, _SHORTER), _NARROWEST):
        narrowed = _narrowed(widths, _least_widths(headings, rows, whole), available)
        if _line_width(narrowed) <= available:
            break
    return narrowed


def _line_width(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _needed_widths(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[set[int]]:
    """Give the widths of all that stands in each column."""
    needed = [{cell_len(name)} for name in headings]
    for row in rows:
        for widths, cell in zip(needed, row, strict=True):
            widths.update(map(cell_len, cell))
    return needed


def _least_widths(headings: Sequence[str], rows: Sequence[Sequence[Cell]], unbroken: int) -> list[int]:
    """Give the width below which no column goes: that of its words, and of the words of its heading."""
    whole = [
        [[word for line in cell for word in line.split() if cell_len(word) <= unbroken or UUID_FORM.fullmatch(word)] for cell in row]
        for row in rows
    ]
    words = [max(map(cell_len, name.split()), default=0) for name in headings]
    needed = _needed_widths(["" for _ in headings], whole)
    full = _needed_widths(headings, rows)
    return [
        min(max(word, min(_NARROWEST, max(widest)), *lengths), max(widest))
        for word, lengths, widest in zip(words, needed, full, strict=True)
    ]


def _narrowed(widths: Sequence[int], least: Sequence[int], available: int) -> list[int]:
    """Take from the columns with the most to spare until the lines fit."""
    narrowed = list(widths)
    excess = _line_width(widths) - available
    while excess > 0:
        spare = [width - floor for width, floor in zip(narrowed, least, strict=True)]
        if max(spare) <= 0:
            break
        narrowed[spare.index(max(spare))] -= 1
        excess -= 1
    return narrowed


def _lines(row: Sequence[Cell], widths: Sequence[int], numbers: Collection[int], colours: Mapping[int, str]) -> Iterator[str]:
    """Lay the cells of a row side by side; most have one line."""
    folded = [_fold(cell, width) for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*folded, fillvalue=""):
        laid = [_lay(part, width, right=column in numbers) for column, (part, width) in enumerate(zip(parts, widths, strict=True))]
        while laid and not laid[-1].strip():
            laid.pop()
        if laid:
            laid[-1] = laid[-1].rstrip()
        yield _GAP.join(f"{colours[column]}{part}{_PLAIN}" if column in colours else part for column, part in enumerate(laid))


def _lay(part: str, width: int, *, right: bool) -> str:
    return " " * (width - cell_len(part)) + part if right else set_cell_size(part, width)


def _fold(cell: Cell, width: int) -> list[str]:
    return [part for line in cell for part in (_fold_line(line, width) if cell_len(line) > width else [line])]


def _fold_line(line: str, width: int) -> list[str]:
    """Fold between words, and within those that are too long; text with wide characters anywhere."""
    return textwrap.wrap(line, width) if cell_len(line) == len(line) else chop_cells(line, width)
