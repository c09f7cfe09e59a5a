"""The route that explains which labels count a packet."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import PointNotFoundError
from venturi.interfaces.api.v1.forms.explaining import QuestionForm, explanation_form, question
from venturi.interfaces.api.v1.forms.reading import read_body
from venturi.interfaces.api.v1.wire import answer, identifier
from venturi.services.control.explaining import Explaining
from venturi.services.control.policy import OPERATION, Operation


@post("/v1/explain", sync_to_thread=True, status_code=200, opt={OPERATION: Operation.EXPLAIN})
def explain_packet(body: bytes, caller: NamedDependency[Principal], explaining: NamedDependency[Explaining]) -> Response[bytes]:
    """Say which labels count a packet, and by which rules."""
    form = read_body(body, QuestionForm)
    if form.observation_point_id is not None:
        form.observation_point_id = identifier(form.observation_point_id, PointNotFoundError, "Observation point")
    return answer(explanation_form(explaining.explain(caller, question(form))))


EXPLAINING_ROUTES: list[ControllerRouterHandler] = [explain_packet]
