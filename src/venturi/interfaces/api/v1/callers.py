"""The route that tells callers who the server takes them for."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from venturi.core.domain.control.principal import Principal
from venturi.interfaces.api.openapi.declaring import declare
from venturi.interfaces.api.v1.forms.callers import CallerForm, caller_form
from venturi.interfaces.api.v1.wire import answer
from venturi.services.control.policy import OPERATION, Operation, require


@get("/v1/caller", sync_to_thread=False, opt={OPERATION: Operation.SHOW_CALLER}, tags=["caller"], operation_class=declare(CallerForm))
def show_caller(caller: NamedDependency[Principal]) -> Response[bytes]:
    """Tell who the caller is.

    Name, project and roles for which the server takes whoever asks.
    """
    require(caller, Operation.SHOW_CALLER)
    return answer(caller_form(caller))


CALLER_ROUTES: list[ControllerRouterHandler] = [show_caller]
