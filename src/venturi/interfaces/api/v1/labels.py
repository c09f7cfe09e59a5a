"""Routes of labels and of a label's rules."""

from dataclasses import replace

from litestar import Response, get, patch, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import LabelNotFoundError, RequestTooLargeError
from venturi.interfaces.api.v1.forms.labels import LabelChangesForm, NewRulesForm, label_changes, label_form, rule_fields, rule_form
from venturi.interfaces.api.v1.forms.reading import cut_page, read_body, read_listing
from venturi.interfaces.api.v1.wire import ApiRequest, answer, identifier, query_of
from venturi.services.control.labels import LabelControl
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.control.rules import RuleControl

FILTERS = ("id", "name", "description", "project_id", "shared")
RULE_FILTERS = ("id", "direction", "excluded", "remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix")
_COLLECTION = "/v1/labels"
_LABEL = "/v1/labels/{label_id:str}"
_RULES = "/v1/labels/{label_id:str}/rules"
_NOUN = "Metering label"


@get(_COLLECTION, sync_to_thread=True, opt={OPERATION: Operation.LIST_LABELS})
def list_labels(
    request: ApiRequest, caller: NamedDependency[Principal], labels: NamedDependency[LabelControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List labels."""
    listing = read_listing(query_of(request), limits.page_resources, FILTERS, booleans=["shared"])
    page, following = cut_page(labels.list(caller, listing), listing, lambda label: label.id)
    return answer({"labels": [label_form(label) for label in page], "next": following})


@get(_LABEL, sync_to_thread=True, opt={OPERATION: Operation.SHOW_LABEL})
def show_label(label_id: FromPath[str], caller: NamedDependency[Principal], labels: NamedDependency[LabelControl]) -> Response[bytes]:
    """Give a label."""
    return answer(label_form(labels.find(caller, identifier(label_id, LabelNotFoundError, _NOUN))))


@patch(_LABEL, sync_to_thread=True, opt={OPERATION: Operation.UPDATE_LABEL})
def update_label(
    label_id: FromPath[str], body: bytes, caller: NamedDependency[Principal], labels: NamedDependency[LabelControl]
) -> Response[bytes]:
    """Rename or redescribe a label."""
    changes = label_changes(read_body(body, LabelChangesForm))
    return answer(label_form(labels.update(caller, identifier(label_id, LabelNotFoundError, _NOUN), changes)))


@get(_RULES, sync_to_thread=True, opt={OPERATION: Operation.LIST_RULES})
def list_rules(
    request: ApiRequest,
    label_id: FromPath[str],
    caller: NamedDependency[Principal],
    labels: NamedDependency[LabelControl],
    rules: NamedDependency[RuleControl],
    limits: NamedDependency[Limits],
) -> Response[bytes]:
    """List the rules of a label."""
    listing = read_listing(query_of(request), limits.page_resources, RULE_FILTERS, booleans=["excluded"])
    label = labels.find(caller, identifier(label_id, LabelNotFoundError, _NOUN))
    of_label = replace(listing, filters={**listing.filters, "metering_label_id": (label.id,)})
    page, following = cut_page(rules.list(caller, of_label), listing, lambda rule: rule.id)
    return answer({"rules": [rule_form(rule) for rule in page], "next": following})


@put(_RULES, sync_to_thread=True, opt={OPERATION: Operation.REPLACE_RULES})
def replace_rules(
    label_id: FromPath[str],
    body: bytes,
    caller: NamedDependency[Principal],
    rules: NamedDependency[RuleControl],
    limits: NamedDependency[Limits],
) -> Response[bytes]:
    """Replace all rules of a label."""
    asked = read_body(body, NewRulesForm).rules
    if len(asked) > limits.bulk_resources:
        message = f"rules: {len(asked)} rules, but one request may carry at most {limits.bulk_resources}"
        raise RequestTooLargeError(message)
    fields = [rule_fields(number, form) for number, form in enumerate(asked)]
    replaced = rules.replace(caller, identifier(label_id, LabelNotFoundError, _NOUN), fields)
    return answer({"rules": [rule_form(rule) for rule in replaced]})


LABEL_ROUTES: list[ControllerRouterHandler] = [list_labels, show_label, update_label, list_rules, replace_rules]
