"""Writes resources in the form asked for, many as a list or one by itself.

Owns what each form looks like as a whole: rows and columns of a list, names and values of a single resource.
"""

import csv
import json
from collections.abc import Sequence
from typing import TextIO

from venturi.interfaces.render.resources.cells import spell_for_csv, spell_for_table, spell_for_value
from venturi.interfaces.render.resources.selection import Row, sort_rows
from venturi.interfaces.render.resources.table import write_table
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.render.resources.yaml_form import write_yaml

_IDENTIFIER = 36
_SECRET = 128
"""How long texts without blanks are kept on one line: ids in a list, the secret of a token by itself."""


def write_list(rows: Sequence[Row], columns: Sequence[str], view: View, stream: TextIO) -> None:
    """Write a list of resources: a table, a JSON or YAML list of objects, CSV with a header, or a line of values for each."""
    chosen = [{column: row.get(column) for column in columns} for row in sort_rows(rows, view.sort_columns)]
    if view.form == "table":
        write_table(columns, [[spell_for_table(value) for value in row.values()] for row in chosen], stream, unbroken=_IDENTIFIER)
    elif view.form == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([spell_for_csv(value, raw=view.raw) for value in row.values()] for row in chosen)
    elif view.form == "value":
        stream.writelines(" ".join(spell_for_value(value) for value in row.values()) + "\n" for row in chosen)
    else:
        write_document(chosen, view, stream)


def write_one(row: Row, columns: Sequence[str], view: View, stream: TextIO) -> None:
    """Write one resource: a table of fields and values, a JSON or YAML object, CSV with a header, or a line for each value."""
    chosen = {column: row.get(column) for column in columns}
    if view.form == "table":
        fields = [([name], spell_for_table(value)) for name, value in chosen.items()]
        write_table(("field", "value"), fields, stream, unbroken=_SECRET)
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
