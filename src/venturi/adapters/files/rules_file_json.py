"""JSON text (RFC 8259) into located values.

Owns a tokenizer that keeps lines, which the standard library's parser does not, and needs no recursion; and the way by that parser, many
times as fast, for texts that are right.
"""

import json
import re
from typing import NoReturn

from venturi.core.domain.errors import RulesFileError
from venturi.core.rules.located import NO_LINE, Located, Plain

MAXIMUM_DEPTH = 16
"""How deep lists and objects may nest."""

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<mark>[{}\[\]:,])
  | (?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")
  | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![0-9A-Za-z.])
  | (?P<word>true|false|null)\b
  | (?P<end>\Z)
  | (?P<other>.)
)""",
    re.VERBOSE,
)
_WORDS: dict[str, Plain] = {"true": True, "false": False, "null": None}
_LONGEST_INTEGER = 18


def parse_json(text: str, name: str) -> Located:
    """Parse ``text``; raises ``RulesFileError`` if it is not JSON, repeats a key or nests too deep."""
    return _Parser(text, name).parse()


def parse_json_in_haste(text: str) -> Located | None:
    """Parse ``text`` into values without lines; gives None for all that ``parse_json`` refuses, and for what only it can tell."""
    try:
        root: Plain = json.loads(text, object_pairs_hook=_members, parse_int=_number, parse_constant=_refuse_constant)
        return _locate(root, MAXIMUM_DEPTH)
    except (ValueError, RecursionError):
        return None


def _locate(value: Plain, levels: int) -> Located:
    """Wrap a value and all within, in place; raises ``ValueError`` where lists and objects nest deeper than ``levels``."""
    if isinstance(value, list | dict):
        if not levels:
            raise ValueError(MAXIMUM_DEPTH)
        if isinstance(value, list):
            value[:] = [_locate(element, levels - 1) for element in value]
        else:
            for key, member in value.items():
                value[key] = _locate(member, levels - 1)
    return Located(value, NO_LINE)


def _members(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError(pairs)
    return members


def _number(lexeme: str) -> int | float:
    return int(lexeme) if len(lexeme) <= _LONGEST_INTEGER else float(lexeme)


def _refuse_constant(lexeme: str) -> NoReturn:
    raise ValueError(lexeme)


class _Parser:
    """A parser of one text that keeps its open lists and objects on a stack of its own."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._position = 0
        self._line = 1
        self._kind = ""
        self._lexeme = ""

    def parse(self) -> Located:
        self._advance()
        root = self._read_value()
        containers = [root] if self._is_open(root) else []
        while containers:
            container = containers[-1].value
            if isinstance(container, dict):
                node = self._next_member(container)
            else:
                node = self._next_element(container) if isinstance(container, list) else None
            if node is None:
                containers.pop()
            elif self._is_open(node):
                containers.append(node)
                if len(containers) > MAXIMUM_DEPTH:
                    message = f"{self._name}:{self._line}: lists and objects are nested more than {MAXIMUM_DEPTH} deep"
                    raise RulesFileError(message)
        if self._kind != "end":
            self._refuse("one value was expected, and more follows")
        return root

    def _advance(self) -> None:
        found = _TOKEN.match(self._text, self._position)
        assert found is not None  # noqa: S101 - the pattern matches anywhere
        self._kind = found.lastgroup or ""
        self._lexeme = found[self._kind]
        if found.start(self._kind) > self._position:
            self._line += self._text.count("\n", self._position, found.start(self._kind))
        self._position = found.end()
        if self._kind == "other":
            self._refuse(f"{self._lexeme!r} is not expected")

    def _take(self, mark: str) -> bool:
        if self._kind != "mark" or self._lexeme != mark:
            return False
        self._advance()
        return True

    def _is_open(self, node: Located) -> bool:
        return isinstance(node.value, list | dict)

    def _read_value(self) -> Located:
        line = self._line
        value: Plain
        if self._kind == "string":
            value = self._read_string()
        elif self._kind == "number":
            value = _number(self._lexeme) if self._lexeme.lstrip("-").isdigit() else float(self._lexeme)
        elif self._kind == "word":
            value = _WORDS[self._lexeme]
        elif self._lexeme in {"{", "["}:
            value = {} if self._lexeme == "{" else []
        else:
            self._refuse("a value is expected")
        self._advance()
        return Located(value, line)

    def _read_string(self) -> str:
        if "\\" not in self._lexeme:
            return self._lexeme[1:-1]
        try:
            return str(json.loads(self._lexeme))
        except json.JSONDecodeError as error:
            self._refuse(error.msg)

    def _next_element(self, elements: list[Located]) -> Located | None:
        if self._take("]"):
            return None
        if elements and not self._take(","):
            self._refuse("',' or ']' is expected")
        node = self._read_value()
        elements.append(node)
        return node

    def _next_member(self, members: dict[str, Located]) -> Located | None:
        if self._take("}"):
            return None
        if members and not self._take(","):
            self._refuse("',' or '}' is expected")
        if self._kind != "string":
            self._refuse("a key in double quotes is expected")
        key = self._read_string()
        if key in members:
            message = f"{self._name}:{self._line}: field '{key}': the key is already at line {members[key].line}"
            raise RulesFileError(message)
        self._advance()
        if not self._take(":"):
            self._refuse("':' is expected")
        node = self._read_value()
        members[key] = node
        return node

    def _refuse(self, sentence: str) -> NoReturn:
        message = f"{self._name}:{self._line}: not valid JSON: {sentence}"
        raise RulesFileError(message)
