"""The forms of a rules document: the rules file, documents of the API, and listings printed by OpenStack's client.

Owns which keys make a document which form. Reading single labels and rules belongs to ``entries``, joining them to ``joining``.
"""

from dataclasses import dataclass, field

from venturi.core.domain.errors import InvalidRuleError
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.checks import check_prefix, missing_attribute_message, unknown_attribute_message
from venturi.core.rules.entries import LABEL_ATTRIBUTES, RULE_ATTRIBUTES, EntryReader, LabelEntry, RuleEntry, read_label, read_rule
from venturi.core.rules.located import Cursor, Located, LocatedDocument, Problems

_API_KEYS = {"metering_labels", "metering_label_rules", "metering_labels_links", "metering_label_rules_links"}
_API_SINGLES = {"metering_label", "metering_label_rule"}
_COLUMNS = {
    "ID": "id",
    "Name": "name",
    "Description": "description",
    "Shared": "shared",
    "Excluded": "excluded",
    "Direction": "direction",
    "Remote IP Prefix": "remote_ip_prefix",
    "Source IP Prefix": "source_ip_prefix",
    "Destination IP Prefix": "destination_ip_prefix",
    "is_shared": "shared",
    "is_excluded": "excluded",
}
"""The titles of the client's columns, and the names that its SDK gives, as attributes of the API."""

_EMPTY = (None, "")


@dataclass
class Entries:
    """What the documents of one reading hold, in order."""

    inside: list[Prefix] = field(default_factory=list)
    owned: list[tuple[LabelEntry, list[RuleEntry]]] = field(default_factory=list)
    """The labels of rules files, each with its rules."""
    labels: list[LabelEntry] = field(default_factory=list)
    """The labels of listings and API documents."""
    rules: list[RuleEntry] = field(default_factory=list)
    """The rules of listings and API documents."""


def read_document(document: LocatedDocument, entries: Entries, problems: Problems) -> None:
    """Read one document of any form into ``entries``, noting what is wrong."""
    root = Cursor(document.name, "", document.root)
    if isinstance(document.root.value, list):
        for row in root.elements(problems):
            _read_row(row, entries, problems)
        return
    keys = root.mapping(problems)
    if keys.keys() & (_API_KEYS | _API_SINGLES):
        _read_api_document(root, keys, entries, problems)
    elif "direction" in keys or ("id" in keys and "labels" not in keys):
        _read_row(root, entries, problems)
    elif isinstance(document.root.value, dict):
        _read_rules_file(root, keys, entries, problems)


def _read_rules_file(root: Cursor, keys: dict[str, Located], entries: Entries, problems: Problems) -> None:
    for name in [name for name in keys if name not in {"inside", "labels"}]:
        problems.add(root.entry(name, keys[name]).place, unknown_attribute_message(name))
    if "labels" not in keys:
        problems.add(root.entry("labels", root.node).place, missing_attribute_message("labels"))
        return
    if "inside" in keys:
        _read_inside(root.entry("inside", keys["inside"]), entries, problems)
    for cursor in root.entry("labels", keys["labels"]).elements(problems):
        _read_owned_label(cursor, entries, problems)


def _read_inside(cursor: Cursor, entries: Entries, problems: Problems) -> None:
    for element in cursor.elements(problems):
        try:
            prefix = check_prefix("inside", element.node.value if element.node.value is not None else "")
        except InvalidRuleError as error:
            problems.add(element.place, str(error))
            continue
        if prefix is not None:
            entries.inside.append(prefix)


def _read_owned_label(cursor: Cursor, entries: Entries, problems: Problems) -> None:
    keys = cursor.mapping(problems)
    if not isinstance(cursor.node.value, dict):
        return
    reader = EntryReader(cursor, keys, problems)
    reader.refuse_unknown(LABEL_ATTRIBUTES | {"rules"})
    reader.require("name")
    label = read_label(reader, cursor.place)
    well_formed = not reader.failed
    rules: list[RuleEntry] = []
    if "rules" in keys:
        for element in cursor.entry("rules", keys["rules"]).elements(problems):
            _read_owned_rule(element, rules, problems)
    if well_formed:
        entries.owned.append((label, rules))


def _read_owned_rule(cursor: Cursor, rules: list[RuleEntry], problems: Problems) -> None:
    keys = cursor.mapping(problems)
    if not isinstance(cursor.node.value, dict):
        return
    reader = EntryReader(cursor, keys, problems)
    reader.refuse_unknown(RULE_ATTRIBUTES)
    rule = read_rule(reader, cursor.place)
    if not reader.failed:
        rules.append(rule)


def _read_api_document(root: Cursor, keys: dict[str, Located], entries: Entries, problems: Problems) -> None:
    for name, node in keys.items():
        cursor = root.entry(name, node)
        if name in {"metering_labels", "metering_label_rules"}:
            for row in cursor.elements(problems):
                _read_row(row, entries, problems)
        elif name in _API_SINGLES:
            _read_row(cursor, entries, problems)
        elif name not in _API_KEYS:
            problems.add(cursor.place, unknown_attribute_message(name))


def _read_row(cursor: Cursor, entries: Entries, problems: Problems) -> None:
    given = cursor.mapping(problems)
    if not isinstance(cursor.node.value, dict):
        return
    keys = {_COLUMNS.get(name, name): node for name, node in given.items()}
    if "direction" in keys or "metering_label_id" in keys:
        _read_rule_row(cursor, keys, entries, problems)
    else:
        _read_label_row(cursor, keys, entries, problems)


def _read_rule_row(cursor: Cursor, keys: dict[str, Located], entries: Entries, problems: Problems) -> None:
    unsaid = "excluded" not in keys or keys["excluded"].value in _EMPTY
    stated = {name: node for name, node in keys.items() if name not in {"name", "project_id", "tenant_id"} and not _is_unsaid(name, node)}
    reader = EntryReader(cursor, stated, problems)
    reader.refuse_unknown(RULE_ATTRIBUTES | {"metering_label_id"})
    reader.require("id")
    rule = read_rule(reader, cursor.place, excluded_if_unsaid=None if unsaid else False)
    if not reader.failed:
        entries.rules.append(rule)


def _read_label_row(cursor: Cursor, keys: dict[str, Located], entries: Entries, problems: Problems) -> None:
    stated = {name: node for name, node in keys.items() if not _is_unsaid(name, node)}
    reader = EntryReader(cursor, stated, problems)
    reader.refuse_unknown(LABEL_ATTRIBUTES | {"tenant_id"})
    reader.require("id")
    if "tenant_id" in stated and stated["tenant_id"].value != stated.setdefault("project_id", stated["tenant_id"]).value:
        reader.refuse("'project_id' and 'tenant_id' do not match")
    label = read_label(reader, cursor.place, complete="shared" in stated)
    if not reader.failed:
        entries.labels.append(label)


def _is_unsaid(name: str, node: Located) -> bool:
    return node.value in _EMPTY and name in {"shared", "excluded"}
