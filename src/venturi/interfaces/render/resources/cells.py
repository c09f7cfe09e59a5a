"""The spelling of single values: for people, and for programs that read lines.

Owns what absent, true and composite values look like. A control character never reaches a terminal.
"""

import json
import re

from venturi.core.domain.text import escape_cell, escape_unfit

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_TIMES = frozenset({"at", "start", "end", "oldest_undelivered"})


def spell_for_table(value: object) -> list[str]:
    """Spell a value in lines of text; an absent one is empty, a list of objects has a line for each."""
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [_on_one_line(each) for each in value]
    return [_on_one_line(value)]


def spell_heading(column: str) -> str:
    """Name a column as people do: ``expires_at`` is when something expires, ``project_id`` its project."""
    return column.removesuffix("_at").removesuffix("_id").replace("_", " ")


def spell_field(column: str, value: object) -> list[str]:
    """Spell a value of a column in lines of text: a time to the second, anything else as ``spell_for_table`` does."""
    if isinstance(value, str) and (column.endswith("_at") or column in _TIMES) and (found := _TIME.fullmatch(value)):
        return [f"{found[1]} {found[2]}Z"]
    return spell_for_table(value)


def spell_for_csv(value: object, *, raw: bool = False) -> str:
    """Spell a value as a field of CSV: an absent one is empty, a composite one JSON.

    A text is shown, never run, by a spreadsheet, unless ``raw``.
    """
    return escape_cell(value) if isinstance(value, str) and not raw else _plain(value)


def spell_for_value(value: object) -> str:
    """Spell a value as the OpenStack client prints plain values: ``True``, ``False`` and ``None`` by name, a composite one as JSON."""
    text = json.dumps(value) if isinstance(value, list | dict) else str(value)
    return escape_unfit(text)


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _on_one_line(value: object) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{name}: {_on_one_line(each)}" for name, each in value.items() if each is not None)
    elif isinstance(value, list):
        text = ", ".join(_on_one_line(each) for each in value)
    else:
        text = _plain(value)
    return escape_unfit(text)
