"""The spelling of single values: for people, and for programs that read lines.

Owns what absent, true and composite values look like. A control character never reaches a terminal.
"""

import json
import re

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def spell_for_table(value: object) -> list[str]:
    """Spell a value in lines of text; an absent one is empty, a list of objects has a line for each."""
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [_on_one_line(each) for each in value]
    return [_on_one_line(value)]


def spell_for_csv(value: object) -> str:
    """Spell a value as a field of CSV: an absent one is empty, a composite one JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def spell_for_value(value: object) -> str:
    """Spell a value as the OpenStack client prints plain values: ``True``, ``False`` and ``None`` by name, a composite one as JSON."""
    text = json.dumps(value) if isinstance(value, list | dict) else str(value)
    return _UNFIT.sub(_escape, text)


def _on_one_line(value: object) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{name}: {_on_one_line(each)}" for name, each in value.items() if each is not None)
    elif isinstance(value, list):
        text = ", ".join(_on_one_line(each) for each in value)
    else:
        text = spell_for_csv(value)
    return _UNFIT.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
