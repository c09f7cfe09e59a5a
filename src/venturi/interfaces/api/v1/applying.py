"""The route that applies many changes of labels and rules as one."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.interfaces.api.v1.forms.applying import ApplyForm, applied_form, read_changes
from venturi.interfaces.api.v1.forms.reading import read_body
from venturi.interfaces.api.v1.wire import answer
from venturi.services.control.applying import Applied, ApplyControl
from venturi.services.control.policy import OPERATION, Operation


@post("/v1/apply", status_code=200, sync_to_thread=True, opt={OPERATION: Operation.APPLY})
def apply_changes(
    body: bytes, caller: NamedDependency[Principal], applying: NamedDependency[ApplyControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """Apply changes, all or none, or only check them."""
    form = read_body(body, ApplyForm)
    changes = read_changes(form, limits.bulk_resources)
    if form.dry_run:
        applying.check(caller, changes)
        return answer(applied_form(Applied()))
    return answer(applied_form(applying.apply(caller, changes)))


APPLYING_ROUTES: list[ControllerRouterHandler] = [apply_changes]
