"""Routes of metering labels, and how a label reads on the wire."""

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.checks import check_label_boolean, check_label_text
from venturi.interfaces.api.neutron.attributes import INVALID_INPUT, LABEL, open_new, refuse_changes, refuse_late_changes
from venturi.interfaces.api.neutron.bodies import Attributes, read_changes, read_new, refuse_body
from venturi.interfaces.api.neutron.forms import MeteringLabelForm
from venturi.interfaces.api.neutron.queries import LABELS, parse_query
from venturi.interfaces.api.neutron.remembered import RememberedLists
from venturi.interfaces.api.neutron.wire import ApiRequest, Collection, answer_list, answer_made, answer_nothing, answer_one, named
from venturi.services.control.labels import LabelControl, NewLabel


def label_form(label: MeteringLabel) -> MeteringLabelForm:
    """Give the wire form of a label."""
    return MeteringLabelForm(label.id, label.name, label.description, label.shared, label.project_id, label.project_id)


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


def list_labels(
    request: ApiRequest, caller: NamedDependency[Principal], labels: NamedDependency[LabelControl], lists: NamedDependency[RememberedLists]
) -> Response[bytes]:
    """List metering labels.

    Filters are exact; a repeated one is met by any of its values.
    """
    return lists.answer(LABEL.collection, request, caller, lambda: answer_list(request, caller, labels, _COLLECTION))


def create_labels(
    body: RawBody, caller: NamedDependency[Principal], labels: NamedDependency[LabelControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """Make metering labels.

    Makes one under the key metering_label, or several at once, all or none, under metering_labels.
    """
    given, plural = read_new(body, LABEL.name, limits.bulk_resources)
    made = labels.create(caller, [read_label(each, caller) for each in given])
    return answer_made(LABEL, [label_form(label) for label in made], plural=plural)


def show_label(
    request: ApiRequest, identifier: FromPath[str], caller: NamedDependency[Principal], labels: NamedDependency[LabelControl]
) -> Response[bytes]:
    """Show a metering label.

    That of another project does not exist to a caller who is no administrator.
    """
    found = labels.find(caller, named(identifier))
    return answer_one(LABEL, label_form(found), parse_query(request.scope["query_string"]))


def update_label(
    identifier: FromPath[str], body: RawBody, caller: NamedDependency[Principal], labels: NamedDependency[LabelControl]
) -> Response[bytes]:
    """Refuse to change a metering label.

    Its attributes are read-only here, so the answer is an error, whatever is sent.
    """
    given = read_changes(body, LABEL.name)
    refuse_changes(LABEL, given, caller)
    labels.find(caller, named(identifier))
    refuse_late_changes(LABEL, given)


def delete_label(
    identifier: FromPath[str], body: RawBody, caller: NamedDependency[Principal], labels: NamedDependency[LabelControl]
) -> Response[None]:
    """Delete a metering label.

    Its rules go with it; what was counted stays.
    """
    refuse_body(body)
    labels.delete(caller, named(identifier))
    return answer_nothing()
