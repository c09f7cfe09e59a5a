"""Rows to labels and rules and back: the one place where the two are translated.

Owns their spelling in columns; the columns themselves are for ``schema``.
"""

import socket
from collections.abc import Iterable
from typing import Any

from venturi.core.domain.direction import Direction
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.given_rule import GivenRule
from venturi.core.rules.rule_fields import RuleFields

_DIRECTIONS = {direction.value: direction for direction in Direction}


def read_labels(rows: Iterable[Any]) -> list[MeteringLabel]:
    """Make labels of rows of ``LABEL_ATTRIBUTES``."""
    return [
        MeteringLabel(id=identifier, name=name, description=description, shared=shared, project_id=project_id)
        for identifier, name, description, shared, project_id in rows
    ]


def write_label(label: MeteringLabel) -> dict[str, object]:
    """Give the columns of a label."""
    return {
        "id": label.id,
        "name": label.name,
        "description": label.description,
        "shared": label.shared,
        "project_id": label.project_id,
    }


def read_rules(rows: Iterable[Any]) -> list[GivenRule]:
    """Make rules of rows of ``RULE_ATTRIBUTES``."""
    return [
        GivenRule(
            identifier,
            label_id,
            RuleFields(_DIRECTIONS[direction], excluded, _read_prefix(remote), _read_prefix(source), _read_prefix(destination)),
        )
        for identifier, label_id, direction, excluded, remote, source, destination in rows
    ]


def write_rule(rule: GivenRule) -> dict[str, object]:
    """Give the columns of a rule, with the range of addresses of its remote prefix."""
    fields = rule.fields
    remote = fields.remote_ip_prefix
    first, last = write_range(remote) if remote else (None, None)
    return {
        "id": rule.id,
        "metering_label_id": rule.metering_label_id,
        "direction": fields.direction.value,
        "excluded": bool(fields.excluded),
        "remote_ip_prefix": _write_prefix(remote),
        "source_ip_prefix": _write_prefix(fields.source_ip_prefix),
        "destination_ip_prefix": _write_prefix(fields.destination_ip_prefix),
        "remote_first": first,
        "remote_last": last,
    }


def write_range(prefix: Prefix) -> tuple[str, str]:
    """Give the first and the last address of a prefix as texts of one width, which are ordered as the addresses are."""
    return f"{prefix.family}{prefix.first:032x}", f"{prefix.family}{prefix.last:032x}"


def _write_prefix(prefix: Prefix | None) -> str:
    return "" if prefix is None else str(prefix)


def _read_prefix(text: str) -> Prefix | None:
    """Read a prefix as ``_write_prefix`` spells it, without the other spellings that people use."""
    if not text:
        return None
    address, _, length = text.partition("/")
    if ":" in address:
        return Prefix(6, int.from_bytes(socket.inet_pton(socket.AF_INET6, address), "big"), int(length))
    return Prefix(4, int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big"), int(length))
