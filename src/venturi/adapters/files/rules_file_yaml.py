"""YAML text into located values, from the events of PyYAML's C parser.

Owns the subset of YAML: one document, no aliases, no tags, and plain scalars that YAML 1.1 and 1.2 read alike; ``yes``, ``no``,
``on`` and ``off``, which they do not, stay text.
"""

import re
from typing import NoReturn

import yaml

from venturi.core.domain.errors import RulesFileError
from venturi.core.rules.located import Located, Plain

MAXIMUM_DEPTH = 16
"""How deep lists and mappings may nest."""

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,3})?")
_TEXT_TAGS = frozenset({"!", "tag:yaml.org,2002:str"})


def parse_yaml(text: str, name: str) -> Located:
    """Parse the one YAML document in ``text``; raises ``RulesFileError`` naming file ``name`` and line for anything else."""
    builder = _Builder(name)
    try:
        parser = yaml.CSafeLoader(text)
        while (event := parser.get_event()) is not None:
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.count("\n")) + 1 if mark else 1
        message = f"{name}:{line}: not valid YAML: {error.problem or error.context}"
        raise RulesFileError(message) from error
    except yaml.YAMLError as error:
        message = f"{name}:1: not valid YAML: {' '.join(str(error).split())}"
        raise RulesFileError(message) from error
    return builder.root


class _Builder:
    """Builds the located values of a document, one event after another, on a stack of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._containers: list[Located] = []
        self._keys: list[str | None] = []
        self._documents = 0
        self.root = Located(None, 1)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            line = _line(event)
            if event.tag is not None and event.tag not in _TEXT_TAGS:
                self._refuse(line, f"the tag '{event.tag}' has no meaning here")
            value = _resolve(event.value) if event.implicit[0] and event.tag is None else event.value
            self._add(Located(value, line))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._containers.pop()
            self._keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(_line(event), f"the alias '*{event.anchor}' is not read here; write the value out")
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(_line(event), "a second YAML document begins; a rules file has one")

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        line = _line(event)
        if event.tag not in {None, "!"}:
            self._refuse(line, f"the tag '{event.tag}' has no meaning here")
        if len(self._containers) >= MAXIMUM_DEPTH:
            self._refuse(line, f"lists and mappings are nested more than {MAXIMUM_DEPTH} deep")
        container = Located({} if isinstance(event, yaml.MappingStartEvent) else [], line)
        self._add(container)
        self._containers.append(container)
        self._keys.append(None)

    def _add(self, node: Located) -> None:
        if not self._containers:
            self.root = node
            return
        container = self._containers[-1].value
        if isinstance(container, dict):
            self._add_to_mapping(container, node)
        elif isinstance(container, list):
            container.append(node)

    def _add_to_mapping(self, mapping: dict[str, Located], node: Located) -> None:
        key = self._keys[-1]
        if key is not None:
            mapping[key] = node
            self._keys[-1] = None
            return
        if isinstance(node.value, list | dict):
            self._refuse(node.line, "a key is a text, not a list or a mapping")
        key = "null" if node.value is None else str(node.value)
        if key in mapping:
            self._refuse(node.line, f"field '{key}': the key is already at line {mapping[key].line}")
        self._keys[-1] = key

    def _refuse(self, line: int, sentence: str) -> NoReturn:
        message = f"{self._name}:{line}: {sentence}"
        raise RulesFileError(message)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _resolve(text: str) -> Plain:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in _NUMBER_START:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text
