"""Routes of metering labels, and how a label reads on the wire."""

from litestar import Response
from msgspec import Struct

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.checks import check_label_boolean, check_label_text
from venturi.interfaces.api.neutron.attributes import INVALID_INPUT, LABEL, open_new, refuse_changes, refuse_late_changes
from venturi.interfaces.api.neutron.bodies import Attributes, read_changes, read_new, refuse_body
from venturi.interfaces.api.neutron.queries import LABELS, parse_query
from venturi.interfaces.api.neutron.remembered import RememberedLists
from venturi.interfaces.api.neutron.wire import ApiRequest, Collection, answer_list, answer_made, answer_nothing, answer_one, named
from venturi.services.control.labels import LabelControl, NewLabel


class LabelForm(Struct, rename={"owner": "tenant_id"}):
    """A label on the wire; ``owner`` is the project by its older name."""

    id: str
    name: str
    description: str
    shared: bool
    project_id: str
    owner: str


def label_form(label: MeteringLabel) -> LabelForm:
    """Give the wire form of a label."""
    return LabelForm(label.id, label.name, label.description, label.shared, label.project_id, label.project_id)


_COLLECTION = Collection(LABEL, LABELS, label_form)


def read_label(given: Attributes, caller: Principal) -> NewLabel:
    """Read a label to be made; raises ``RefusedRequestError``."""
    reader = open_new(LABEL, given, caller)
    return NewLabel(
        name=reader.read("name", check_label_text, ""),
        description=reader.read("description", check_label_text, ""),
        project_id=reader.read("tenant_id", check_label_text, caller.project_id),
        shared=reader.read("shared", check_label_boolean, default=False, kind=INVALID_INPUT),
    )


def list_labels(request: ApiRequest, caller: Principal, labels: LabelControl, lists: RememberedLists) -> Response[bytes]:
    """List metering labels."""
    return lists.answer(LABEL.collection, request, caller, lambda: answer_list(request, caller, labels, _COLLECTION))


def create_labels(body: bytes, caller: Principal, labels: LabelControl, limits: Limits) -> Response[bytes]:
    """Make one metering label or many."""
    given, plural = read_new(body, LABEL.name, limits.bulk_resources)
    made = labels.create(caller, [read_label(each, caller) for each in given])
    return answer_made(LABEL, [label_form(label) for label in made], plural=plural)


def show_label(request: ApiRequest, identifier: str, caller: Principal, labels: LabelControl) -> Response[bytes]:
    """Give a metering label."""
    found = labels.find(caller, named(identifier))
    return answer_one(LABEL, label_form(found), parse_query(request.scope["query_string"]))


def update_label(identifier: str, body: bytes, caller: Principal, labels: LabelControl) -> Response[bytes]:
    """Refuse to change a metering label, in the words that fit."""
    given = read_changes(body, LABEL.name)
    refuse_changes(LABEL, given, caller)
    labels.find(caller, named(identifier))
    refuse_late_changes(LABEL, given)


def delete_label(identifier: str, body: bytes, caller: Principal, labels: LabelControl) -> Response[None]:
    """Remove a metering label and its rules."""
    refuse_body(body)
    labels.delete(caller, named(identifier))
    return answer_nothing()
