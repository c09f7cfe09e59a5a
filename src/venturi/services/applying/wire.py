"""Labels and rules between the metering API's wire and the values that are compared.

Owns the translation of both. What the client gives is untrusted: nonsense is the server's error.
"""

from collections.abc import Mapping

from venturi.adapters.client.resources import Resource
from venturi.core.domain.control.revision import ChangeKind
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRuleError, ServerError
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.checks import check_direction, check_prefix, check_rule_boolean, printable
from venturi.core.rules.rule_fields import RuleFields
from venturi.services.applying.difference import Difference, LabelDifference


def read_label(resource: Resource) -> MeteringLabel:
    """Read a label from its wire form."""
    return MeteringLabel(
        id=str(resource["id"]),
        name=str(resource.get("name") or ""),
        project_id=str(resource.get("project_id") or ""),
        description=str(resource.get("description") or ""),
        shared=resource.get("shared") is True,
    )


def label_body(label: MeteringLabel) -> dict[str, object]:
    """Give what is sent to create a label."""
    return {"name": label.name, "description": label.description, "shared": label.shared, "project_id": label.project_id}


def read_rule(resource: Mapping[str, object]) -> RuleFields:
    """Read the values of a rule from its wire form; raises ``ServerError`` for what is none."""
    try:
        return RuleFields(
            direction=Direction(check_direction("direction", resource.get("direction"))),
            excluded=check_rule_boolean("excluded", resource.get("excluded")),
            remote_ip_prefix=check_prefix("remote_ip_prefix", resource.get("remote_ip_prefix")),
            source_ip_prefix=check_prefix("source_ip_prefix", resource.get("source_ip_prefix")),
            destination_ip_prefix=check_prefix("destination_ip_prefix", resource.get("destination_ip_prefix")),
        )
    except InvalidRuleError as error:
        message = f"the server lists a rule that is none: {printable(error)}"
        raise ServerError(message) from error


def rule_body(fields: RuleFields) -> dict[str, object]:
    """Give what is sent to create a rule, without the label that it belongs to; prefixes that are left out are not sent."""
    prefixes = {
        "remote_ip_prefix": fields.remote_ip_prefix,
        "source_ip_prefix": fields.source_ip_prefix,
        "destination_ip_prefix": fields.destination_ip_prefix,
    }
    given = {name: str(prefix) for name, prefix in prefixes.items() if prefix is not None}
    return {"direction": fields.direction.value, "excluded": bool(fields.excluded), **given}


def apply_body(difference: Difference) -> dict[str, object]:
    """Give what is sent to make all changes as one."""
    changed = difference.of_kind(ChangeKind.CHANGED)
    return {
        "create_labels": [_label_to_create(each) for each in difference.of_kind(ChangeKind.CREATED)],
        "change_labels": [_label_to_change(each) for each in changed if each.description or each.deleted_rules],
        "delete_labels": [each.label.id for each in difference.of_kind(ChangeKind.DELETED)],
        "create_rules": [
            {"metering_label_id": each.label.id, **rule_body(fields)}
            for each in changed
            if not each.deleted_rules
            for fields in each.created_rules
        ],
    }


def _label_to_create(difference: LabelDifference) -> dict[str, object]:
    return {**label_body(difference.label), "rules": [rule_body(fields) for fields in difference.created_rules]}


def _label_to_change(difference: LabelDifference) -> dict[str, object]:
    """Give what becomes of a label that stays: all its rules where some go, since those are not known by id."""
    changes: dict[str, object] = {"id": difference.label.id}
    if difference.description:
        changes["description"] = difference.description[1]
    if difference.deleted_rules and difference.wanted:
        changes["rules"] = [rule_body(fields) for fields in difference.wanted.rules]
    return changes
