"""Labels and rules as they stand in a document, before they are joined.

Owns the reading of one label and of one rule from located values. Which documents hold them is for ``forms``.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidLabelError, InvalidRuleError
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.checks import (
    check_direction,
    check_label_boolean,
    check_label_identifier,
    check_label_text,
    check_prefix,
    check_rule_boolean,
    check_rule_identifier,
    missing_attribute_message,
    unknown_attribute_message,
)
from venturi.core.rules.located import Cursor, Located, Place, Problems
from venturi.core.rules.rule_fields import RuleFields, check_prefixes

Checked = TypeVar("Checked")


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """A label as given; ``complete`` unless it comes from a listing that leaves out project and sharing."""

    place: Place
    identifier: str | None
    name: str
    description: str
    project_id: str
    shared: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule as given; ``metering_label_id`` is None where the document does not tell whose rule it is."""

    place: Place
    identifier: str | None
    metering_label_id: str | None
    fields: RuleFields

    @property
    def complete(self) -> bool:
        """Tell whether the rule says whose it is and whether it excludes."""
        return self.metering_label_id is not None and self.fields.excluded is not None


class EntryReader:
    """Reads the attributes of one mapping, each through its check, and notes what is wrong."""

    def __init__(self, cursor: Cursor, entries: Mapping[str, Located], problems: Problems) -> None:
        """Read ``entries``, the mapping at ``cursor`` under the names of the API."""
        self._cursor = cursor
        self._entries = entries
        self._problems = problems
        self._problems_before = problems.count

    @property
    def failed(self) -> bool:
        """Tell whether anything was wrong so far."""
        return self._problems.count > self._problems_before

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Note every attribute that is not ``known``."""
        for name, node in self._entries.items():
            if name not in known:
                self._problems.add(self._cursor.entry(name, node).place, unknown_attribute_message(name))

    def require(self, name: str) -> None:
        """Note a problem where attribute ``name`` is missing."""
        if name not in self._entries:
            self._problems.add(self._cursor.entry(name, self._cursor.node).place, missing_attribute_message(name))

    def read(self, name: str, check: Callable[[str, object], Checked], default: Checked) -> Checked:
        """Give the checked attribute ``name``, or ``default`` where it is missing or wrong."""
        node = self._entries.get(name)
        if node is None:
            return default
        try:
            return check(name, node.value)
        except (InvalidLabelError, InvalidRuleError) as error:
            self._problems.add(self._cursor.entry(name, node).place, str(error))
            return default

    def refuse(self, sentence: str) -> None:
        """Note a problem of the mapping as a whole."""
        self._problems.add(self._cursor.place, sentence)


LABEL_ATTRIBUTES = frozenset({"id", "name", "description", "project_id", "shared"})
"""What a label of a rules file may say, besides its rules."""

RULE_ATTRIBUTES = frozenset({"id", "direction", "excluded", "remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix"})
"""What a rule of a rules file may say."""


def read_label(reader: EntryReader, place: Place, *, complete: bool = True) -> LabelEntry:
    """Read a label's attributes; worth using only if the reader has not failed."""
    return LabelEntry(
        place=place,
        identifier=reader.read("id", check_label_identifier, "") or None,
        name=reader.read("name", check_label_text, ""),
        description=reader.read("description", check_label_text, ""),
        project_id=reader.read("project_id", check_label_text, ""),
        shared=reader.read("shared", check_label_boolean, default=False),
        complete=complete,
    )


def read_rule(reader: EntryReader, place: Place, *, excluded_if_unsaid: bool | None = False) -> RuleEntry:
    """Read a rule's attributes; worth using only if the reader has not failed."""
    reader.require("direction")
    no_prefix: Prefix | None = None
    fields = RuleFields(
        direction=reader.read("direction", check_direction, Direction.UNKNOWN),
        excluded=reader.read("excluded", _check_excluded, excluded_if_unsaid),
        remote_ip_prefix=reader.read("remote_ip_prefix", check_prefix, no_prefix),
        source_ip_prefix=reader.read("source_ip_prefix", check_prefix, no_prefix),
        destination_ip_prefix=reader.read("destination_ip_prefix", check_prefix, no_prefix),
    )
    label_id = reader.read("metering_label_id", check_rule_identifier, "") or None
    entry = RuleEntry(place, reader.read("id", check_rule_identifier, "") or None, label_id, fields)
    if not reader.failed:
        try:
            check_prefixes(fields)
        except InvalidRuleError as error:
            reader.refuse(str(error))
    return entry


def _check_excluded(attribute: str, value: object) -> bool | None:
    return check_rule_boolean(attribute, value)
