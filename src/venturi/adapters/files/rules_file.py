"""Reads rules files: opens them, tells YAML from JSON, and hands located values to the core.

Owns files and their text. What a rules file may say, and every check of it, belongs to ``core.rules``.
"""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from venturi.adapters.edges import FILES_EDGE
from venturi.adapters.files.rules_file_json import parse_json, parse_json_in_haste
from venturi.adapters.files.rules_file_yaml import parse_yaml
from venturi.core.domain.errors import RulesFileError, UnreadableFileError
from venturi.core.rules.document import RulesDocument, RulesReading, read_rules
from venturi.core.rules.located import LocatedDocument

MAXIMUM_OCTETS = 256 << 20
"""The largest rules file that is read."""

STANDARD_INPUT = "-"
"""The path that stands for standard input."""


@FILES_EDGE.function
def load_rules(paths: Sequence[str]) -> RulesDocument:
    """Read the rules files at ``paths`` (``-`` is standard input) and join them into one document.

    Raises ``RulesFileError`` for what is wrong in them and ``UnreadableFileError`` for a file that cannot be read.
    """
    return check_rules(paths).require()


@FILES_EDGE.function
def check_rules(paths: Sequence[str]) -> RulesReading:
    """Read the rules files at ``paths`` and give the document together with all that is wrong in it.

    Raises ``RulesFileError`` for text that is neither YAML nor JSON and ``UnreadableFileError`` for a file that cannot be read.
    """
    return _read([_open(path) for path in paths])


def parse_rules(text: str, name: str) -> RulesReading:
    """Read the text of one rules file, to be called ``name``; raises ``RulesFileError`` if it is neither YAML nor JSON."""
    return _read([_RulesText(name, text)])


class _RulesText(NamedTuple):
    """The text of a rules file, and the name by which to speak of it."""

    name: str
    text: str


def _read(files: Sequence[_RulesText]) -> RulesReading:
    """Read files in haste and, only if something is wrong in them, once more with the line of every value."""
    with _uncollected():
        reading = read_rules(_parse_in_haste(file) for file in files)
        return read_rules(_parse(file) for file in files) if reading.problem_count else reading


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of reference cycles from millions of new values, among which there are none: looking takes half of the time.

    What was read is used to the end of a run. So it is exempt from collection afterwards too.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.enable()


def _open(path: str) -> _RulesText:
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
    return _RulesText(name, _decode(content, name))


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{name}:{line}: not UTF-8: octet 0x{content[error.start]:02x} at offset {error.start}"
        raise RulesFileError(message) from error


def _parse_in_haste(file: _RulesText) -> LocatedDocument:
    root = parse_json_in_haste(file.text) if file.text.lstrip().startswith(("{", "[")) else None
    return _parse(file) if root is None else LocatedDocument(file.name, root)


def _parse(file: _RulesText) -> LocatedDocument:
    name, text = file
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
