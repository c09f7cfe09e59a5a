"""Reads rules files: opens them, tells YAML from JSON, and hands located values to the core.

Owns files and their text. What a rules file may say, and every check of it, belongs to ``core.rules``.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from venturi.adapters.files.rules_file_json import parse_json
from venturi.adapters.files.rules_file_yaml import parse_yaml
from venturi.core.domain.errors import RulesFileError, UnreadableFileError
from venturi.core.rules.document import RulesDocument, RulesReading, read_rules
from venturi.core.rules.located import LocatedDocument

MAXIMUM_OCTETS = 256 << 20
"""The largest rules file that is read."""

STANDARD_INPUT = "-"
"""The path that stands for standard input."""


def load_rules(paths: Sequence[str]) -> RulesDocument:
    """Read the rules files at ``paths`` (``-`` is standard input) and join them into one document.

    Raises ``RulesFileError`` for what is wrong in them and ``UnreadableFileError`` for a file that cannot be read.
    """
    return check_rules(paths).require()


def check_rules(paths: Sequence[str]) -> RulesReading:
    """Read the rules files at ``paths`` and give the document together with all that is wrong in it.

    Raises ``RulesFileError`` for text that is neither YAML nor JSON and ``UnreadableFileError`` for a file that cannot be read.
    """
    return read_rules([_read_document(path) for path in paths])


def parse_rules(text: str, name: str) -> RulesReading:
    """Read the text of one rules file, to be called ``name``; raises ``RulesFileError`` if it is neither YAML nor JSON."""
    return read_rules([_parse_document(text, name)])


def _read_document(path: str) -> LocatedDocument:
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        if path == STANDARD_INPUT:
            content = sys.stdin.buffer.read(MAXIMUM_OCTETS + 1)
        else:
            with Path(path).open("rb") as stream:
                content = stream.read(MAXIMUM_OCTETS + 1)
    except OSError as error:
        message = f"{name}: cannot be read: {error.strerror}"
        raise UnreadableFileError(message) from error
    if len(content) > MAXIMUM_OCTETS:
        message = f"{name}:1: larger than the {MAXIMUM_OCTETS >> 20} MiB that a rules file may have"
        raise RulesFileError(message)
    return _parse_document(_decode(content, name), name)


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{name}:{line}: not UTF-8: octet 0x{content[error.start]:02x} at offset {error.start}"
        raise RulesFileError(message) from error


def _parse_document(text: str, name: str) -> LocatedDocument:
    if not text.strip():
        message = f"{name}:1: the file is empty"
        raise RulesFileError(message)
    if text.lstrip()[0] not in "{[":
        return LocatedDocument(name, parse_yaml(text, name))
    try:
        return LocatedDocument(name, parse_json(text, name))
    except RulesFileError as not_json:
        try:
            return LocatedDocument(name, parse_yaml(text, name))
        except RulesFileError:
            raise not_json from None
