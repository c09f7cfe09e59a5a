"""Routes of labels and of a label's rules."""

from dataclasses import replace

from litestar import Response, get, patch, put
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import LabelNotFoundError, RequestTooLargeError
from venturi.interfaces.api.openapi.declaring import declare, parameter_in_path
from venturi.interfaces.api.v1.forms.labels import (
    LabelChangesForm,
    LabelForm,
    LabelList,
    NewRulesForm,
    RuleList,
    RuleSet,
    label_changes,
    label_form,
    rule_fields,
    rule_form,
)
from venturi.interfaces.api.v1.forms.reading import cut_page, listing_parameters, read_listing
from venturi.interfaces.api.v1.forms.texts import FitText
from venturi.interfaces.api.v1.wire import ApiRequest, JsonBody, answer, identifier, query_of
from venturi.services.control.labels import LabelControl
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.control.rules import RuleControl

FILTERS = {"id": FitText, "name": FitText, "description": FitText, "project_id": FitText, "shared": bool}
RULE_FILTERS = {
    "id": FitText,
    "direction": Direction,
    "excluded": bool,
    "remote_ip_prefix": FitText,
    "source_ip_prefix": FitText,
    "destination_ip_prefix": FitText,
}
_COLLECTION = "/v1/labels"
_LABEL = "/v1/labels/{label_id:str}"
_RULES = "/v1/labels/{label_id:str}/rules"
_NOUN = "Metering label"
_TAGS = ["labels"]
_CHANGES = JsonBody(form=LabelChangesForm, example={"name": "customer 7"})
_RULE_SET = JsonBody(form=NewRulesForm, example={"rules": [{"direction": "egress", "source_ip_prefix": "10.0.0.0/24"}]})
_LABEL_ID = parameter_in_path("label_id", "The id of the label.")


@get(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_LABELS},
    tags=_TAGS,
    operation_class=declare(LabelList, *listing_parameters(FILTERS), refusals=(404,)),
)
def list_labels(
    request: ApiRequest, caller: NamedDependency[Principal], labels: NamedDependency[LabelControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List labels.

    Lists the labels that the caller may see. They are made and deleted by the Networking API.
    """
    listing = read_listing(query_of(request), limits.page_resources, FILTERS)
    page, following = cut_page(labels.list(caller, listing), listing, lambda label: label.id)
    return answer({"labels": [label_form(label) for label in page], "next": following})


@get(
    _LABEL,
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_LABEL},
    tags=_TAGS,
    operation_class=declare(LabelForm, _LABEL_ID, refusals=(404,)),
)
def show_label(label_id: FromPath[str], caller: NamedDependency[Principal], labels: NamedDependency[LabelControl]) -> Response[bytes]:
    """Show a label.

    A label of another project does not exist to a caller who is no administrator.
    """
    return answer(label_form(labels.find(caller, identifier(label_id, LabelNotFoundError, _NOUN))))


@patch(
    _LABEL,
    sync_to_thread=True,
    opt={OPERATION: Operation.UPDATE_LABEL},
    tags=_TAGS,
    operation_class=declare(LabelForm, _LABEL_ID, request=_CHANGES, refusals=(404,)),
)
def update_label(
    label_id: FromPath[str], body: RawBody, caller: NamedDependency[Principal], labels: NamedDependency[LabelControl]
) -> Response[bytes]:
    """Rename or redescribe a label.

    Makes one revision, or none if nothing changes. What the label counts stays the same.
    """
    changes = label_changes(_CHANGES.read(body))
    return answer(label_form(labels.update(caller, identifier(label_id, LabelNotFoundError, _NOUN), changes)))


@get(
    _RULES,
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_RULES},
    tags=_TAGS,
    operation_class=declare(RuleList, _LABEL_ID, *listing_parameters(RULE_FILTERS), refusals=(404,)),
)
def list_rules(
    request: ApiRequest,
    label_id: FromPath[str],
    caller: NamedDependency[Principal],
    labels: NamedDependency[LabelControl],
    rules: NamedDependency[RuleControl],
    limits: NamedDependency[Limits],
) -> Response[bytes]:
    """List the rules of a label.

    Prefixes are spelled as their author spelled them.
    """
    listing = read_listing(query_of(request), limits.page_resources, RULE_FILTERS)
    label = labels.find(caller, identifier(label_id, LabelNotFoundError, _NOUN))
    of_label = replace(listing, filters={**listing.filters, "metering_label_id": (label.id,)})
    page, following = cut_page(rules.list(caller, of_label), listing, lambda rule: rule.id)
    return answer({"rules": [rule_form(rule) for rule in page], "next": following})


@put(
    _RULES,
    sync_to_thread=True,
    opt={OPERATION: Operation.REPLACE_RULES},
    tags=_TAGS,
    operation_class=declare(RuleSet, _LABEL_ID, request=_RULE_SET, refusals=(404, 409)),
)
def replace_rules(
    label_id: FromPath[str],
    body: RawBody,
    caller: NamedDependency[Principal],
    rules: NamedDependency[RuleControl],
    limits: NamedDependency[Limits],
) -> Response[bytes]:
    """Replace the rules of a label.

    In one transaction and one revision; rules that are there already keep their ids. An equal set changes nothing.
    """
    asked = _RULE_SET.read(body).rules
    if len(asked) > limits.bulk_resources:
        message = f"rules: {len(asked)} rules, but one request may carry at most {limits.bulk_resources}"
        raise RequestTooLargeError(message)
    fields = [rule_fields(number, form) for number, form in enumerate(asked)]
    replaced = rules.replace(caller, identifier(label_id, LabelNotFoundError, _NOUN), fields)
    return answer({"rules": [rule_form(rule) for rule in replaced]})


LABEL_ROUTES: list[ControllerRouterHandler] = [list_labels, show_label, update_label, list_rules, replace_rules]
