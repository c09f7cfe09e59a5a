"""The route that applies many changes of labels and rules as one."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.interfaces.api.openapi.declaring import declare
from venturi.interfaces.api.v1.forms.applying import AppliedForm, ApplyForm, applied_form, read_changes
from venturi.interfaces.api.v1.wire import JsonBody, answer
from venturi.services.control.applying import Applied, ApplyControl
from venturi.services.control.policy import OPERATION, Operation

_RULE = {"direction": "egress", "source_ip_prefix": "10.0.0.0/24"}
_CHANGES = JsonBody(form=ApplyForm, example={"create_labels": [{"name": "customer 7", "rules": [_RULE]}]})


@post(
    "/v1/apply",
    status_code=200,
    sync_to_thread=True,
    opt={OPERATION: Operation.APPLY},
    tags=["labels"],
    operation_class=declare(AppliedForm, request=_CHANGES, refusals=(404, 409)),
)
def apply_changes(
    body: RawBody, caller: NamedDependency[Principal], applying: NamedDependency[ApplyControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """Apply changes of labels and rules as one.

    All or none, in one transaction and one revision, so that agents change what they count by at once. Each change needs what it needs
    by itself. Deletions come first, then changes, then what is new. With ``dry_run``, rights are checked and nothing is changed.
    """
    form = _CHANGES.read(body)
    changes = read_changes(form, limits.bulk_resources)
    if form.dry_run:
        applying.check(caller, changes)
        return answer(applied_form(Applied()))
    return answer(applied_form(applying.apply(caller, changes)))


APPLYING_ROUTES: list[ControllerRouterHandler] = [apply_changes]
