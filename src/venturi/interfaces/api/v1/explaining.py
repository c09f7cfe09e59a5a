"""The route that explains which labels count a packet."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.types import ControllerRouterHandler

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import PointNotFoundError
from venturi.interfaces.api.openapi.declaring import declare
from venturi.interfaces.api.v1.forms.explaining import ExplanationForm, QuestionForm, explanation_form, question
from venturi.interfaces.api.v1.wire import JsonBody, answer, identifier
from venturi.services.control.explaining import Explaining
from venturi.services.control.policy import OPERATION, Operation

_QUESTION = JsonBody(form=QuestionForm, example={"source": "10.0.0.7", "destination": "192.0.2.1", "direction": "egress"})


@post(
    "/v1/explain",
    sync_to_thread=True,
    status_code=200,
    opt={OPERATION: Operation.EXPLAIN},
    tags=["explain"],
    operation_class=declare(ExplanationForm, request=_QUESTION, refusals=(404,)),
)
def explain_packet(body: RawBody, caller: NamedDependency[Principal], explaining: NamedDependency[Explaining]) -> Response[bytes]:
    """Explain which labels count a packet.

    Asks the labels that apply at a point, or all that the caller may see, and lists those with a matching rule.
    """
    form = _QUESTION.read(body)
    if form.observation_point_id is not None:
        form.observation_point_id = identifier(form.observation_point_id, PointNotFoundError, "Observation point")
    return answer(explanation_form(explaining.explain(caller, question(form))))


EXPLAINING_ROUTES: list[ControllerRouterHandler] = [explain_packet]
