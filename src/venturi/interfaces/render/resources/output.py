"""Writes resources in the form asked for, many as a list or one by itself.

Owns what each form looks like as a whole: rows and columns of a list, names and values of a single resource. States are coloured on a
terminal: green for what is well, yellow for what waits or is known in part, red for what is not well.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from typing import TextIO

from venturi.interfaces.render.resources.cells import spell_field, spell_for_csv, spell_for_value, spell_heading
from venturi.interfaces.render.resources.selection import Row, sort_rows
from venturi.interfaces.render.resources.table import DIM, GREEN, RED, YELLOW, write_table
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.render.resources.yaml_form import write_yaml

_IDENTIFIER = 36
_LONGEST_WORD = 64
"""How long texts without blanks are kept on one line: in a list, and of one resource. A longer one, a secret, stands below the table."""

_STATES = frozenset({"state", "phase", "decision", "coverage", "answer"})
_COLOURS: Mapping[str, str] = {
    **dict.fromkeys(("accepted", "complete", "delivering", "idle", "ready", "reporting", "running", "valid", "yes"), GREEN),
    **dict.fromkeys(("held", "interpolated", "no_status", "not_metered", "partial", "retrying", "stopped"), YELLOW),
    **dict.fromkeys(("down", "failed", "gap", "incomplete", "open", "rolled_back", "silent"), RED),
    **dict.fromkeys(("cleared", "expired", "no", "rejected", "revoked"), DIM),
}


def write_list(rows: Sequence[Row], columns: Sequence[str], view: View, stream: TextIO) -> None:
    """Write a list of resources: a table, a JSON or YAML list of objects, CSV with a header, or a line of values with tabs between."""
    chosen = [{column: row.get(column) for column in columns} for row in sort_rows(rows, view.sort_columns)]
    if view.form == "table":
        _write_rows(chosen, columns, view, stream)
    elif view.form == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([spell_for_csv(value, raw=view.raw) for value in row.values()] for row in chosen)
    elif view.form == "value":
        stream.writelines("\t".join(spell_for_value(value) for value in row.values()) + "\n" for row in chosen)
    else:
        write_document(chosen, view, stream)


def _write_rows(rows: Sequence[Row], columns: Sequence[str], view: View, stream: TextIO) -> None:
    """Write a table: numbers to the right, states in colour."""
    numbers = [place for place, column in enumerate(columns) if rows and all(_is_number(row[column]) for row in rows)]
    cells = [[spell_field(column, value) for column, value in row.items()] for row in rows]
    colours = {
        (number, place): colour
        for number, row in enumerate(rows)
        for place, (column, value) in enumerate(row.items())
        if (colour := _colour_of(column, value))
    }
    headings = [spell_heading(column) for column in columns]
    write_table(headings, cells, stream, unbroken=_IDENTIFIER, numbers=numbers, colours=colours, coloured=view.coloured)


def _is_word(text: str) -> bool:
    return len(text.split()) == 1


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def write_one(row: Row, columns: Sequence[str], view: View, stream: TextIO) -> None:
    """Write one resource: a table of fields and values, a JSON or YAML object, CSV with a header, or a line for each value.

    Below the table stands what is too wide for it and must be copied whole, such as a secret.
    """
    chosen = {column: row.get(column) for column in columns}
    if view.form == "table":
        below = {name: value for name, value in chosen.items() if isinstance(value, str) and len(value) > _LONGEST_WORD and _is_word(value)}
        shown = {**chosen, **dict.fromkeys(below, "below, in one line")}
        fields = [([spell_heading(name)], spell_field(name, value)) for name, value in shown.items()]
        colours = {(number, 1): colour for number, colour in enumerate(map(_colour_of, shown, shown.values())) if colour}
        write_table(("field", "value"), fields, stream, unbroken=_LONGEST_WORD, colours=colours, coloured=view.coloured)
        stream.writelines(f"\n{spell_heading(name)}:\n{spell_field(name, value)[0]}\n" for name, value in below.items())
    elif view.form == "csv":
        write_list([chosen], columns, view, stream)
    elif view.form == "value":
        stream.writelines(f"{spell_for_value(value)}\n" for value in chosen.values())
    else:
        write_document(chosen, view, stream)


def write_document(document: object, view: View, stream: TextIO) -> None:
    """Write a whole document as YAML where that is asked for, else as JSON."""
    if view.form == "yaml":
        write_yaml(document, stream)
    else:
        stream.write(json.dumps(document, indent=2) + "\n")


def _colour_of(column: str, value: object) -> str:
    """Give the colour of a value in a column of states, empty where it has none."""
    return _COLOURS.get(value, "") if column in _STATES and isinstance(value, str) else ""
