"""Routes of metering label rules, and how a rule reads on the wire."""

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import Direction
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.checks import check_direction, check_label_text, check_rule_boolean, check_rule_identifier
from venturi.core.rules.given_rule import GivenRule
from venturi.core.rules.rule_fields import RuleFields
from venturi.interfaces.api.neutron.attributes import (
    INVALID,
    INVALID_INPUT,
    RULE,
    AttributeReader,
    check_given_prefix,
    open_new,
    refuse_changes,
    refuse_late_changes,
)
from venturi.interfaces.api.neutron.bodies import Attributes, read_changes, read_new, refuse_body
from venturi.interfaces.api.neutron.forms import MeteringRuleForm
from venturi.interfaces.api.neutron.queries import RULES, parse_query
from venturi.interfaces.api.neutron.remembered import RememberedLists
from venturi.interfaces.api.neutron.wire import ApiRequest, Collection, answer_list, answer_made, answer_nothing, answer_one, named
from venturi.services.control.rules import NewRule, RuleControl


def rule_form(rule: GivenRule) -> MeteringRuleForm:
    """Give the wire form of a rule."""
    fields = rule.fields
    return MeteringRuleForm(
        rule.id,
        rule.metering_label_id,
        fields.direction,
        bool(fields.excluded),
        _spell(fields.remote_ip_prefix),
        _spell(fields.source_ip_prefix),
        _spell(fields.destination_ip_prefix),
    )


_COLLECTION = Collection(RULE, RULES, rule_form)


def read_rule(given: Attributes, caller: Principal) -> NewRule:
    """Read a rule to be made; raises ``RefusedRequestError``."""
    reader = open_new(RULE, given, caller)
    label_id = reader.read("metering_label_id", check_rule_identifier, "")
    direction = reader.read("direction", check_direction, Direction.UNKNOWN)
    excluded = reader.read("excluded", check_rule_boolean, default=False, kind=INVALID_INPUT)
    reader.read("tenant_id", check_label_text, "")
    prefixes = (_read_prefix(reader, f"{side}_ip_prefix") for side in ("remote", "source", "destination"))
    remote = given.get("remote_ip_prefix")
    return NewRule(label_id, RuleFields(direction, excluded, *prefixes), remote if isinstance(remote, str) else None)


def list_rules(
    request: ApiRequest, caller: NamedDependency[Principal], rules: NamedDependency[RuleControl], lists: NamedDependency[RememberedLists]
) -> Response[bytes]:
    """List metering label rules.

    Filters are exact; a repeated one is met by any of its values.
    """
    return lists.answer(RULE.collection, request, caller, lambda: answer_list(request, caller, rules, _COLLECTION))


def create_rules(
    body: RawBody, caller: NamedDependency[Principal], rules: NamedDependency[RuleControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """Make metering label rules.

    Makes one under the key metering_label_rule, or several at once, all or none, under metering_label_rules.
    """
    given, plural = read_new(body, RULE.name, limits.bulk_resources)
    made = rules.create(caller, [read_rule(each, caller) for each in given])
    return answer_made(RULE, [rule_form(rule) for rule in made], plural=plural)


def show_rule(
    request: ApiRequest, identifier: FromPath[str], caller: NamedDependency[Principal], rules: NamedDependency[RuleControl]
) -> Response[bytes]:
    """Show a metering label rule.

    That of another project does not exist to a caller who is no administrator.
    """
    found = rules.find(caller, named(identifier))
    return answer_one(RULE, rule_form(found), parse_query(request.scope["query_string"]))


def update_rule(
    identifier: FromPath[str], body: RawBody, caller: NamedDependency[Principal], rules: NamedDependency[RuleControl]
) -> Response[bytes]:
    """Refuse to change a metering label rule.

    Its attributes are read-only here, so the answer is an error, whatever is sent.
    """
    given = read_changes(body, RULE.name)
    refuse_changes(RULE, given, caller)
    rules.find(caller, named(identifier))
    refuse_late_changes(RULE, given)


def delete_rule(
    identifier: FromPath[str], body: RawBody, caller: NamedDependency[Principal], rules: NamedDependency[RuleControl]
) -> Response[None]:
    """Delete a metering label rule.

    What was counted stays.
    """
    refuse_body(body)
    rules.delete(caller, named(identifier))
    return answer_nothing()


def _read_prefix(reader: AttributeReader, name: str) -> Prefix | None:
    absent: Prefix | None = None
    return reader.read(name, check_given_prefix, absent, INVALID)


def _spell(prefix: Prefix | None) -> str | None:
    return None if prefix is None else str(prefix)
