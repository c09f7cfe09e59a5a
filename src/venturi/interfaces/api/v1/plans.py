"""The route of plans: conditional requests, long polls and compression of what may be large."""

import re
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import Answer, Parameter, declare, parameter_in_path
from venturi.interfaces.api.requests import WAITED
from venturi.interfaces.api.v1.forms.reading import Query, read_once, read_text, read_whole_number
from venturi.interfaces.api.v1.forms.texts import AgentId, Host
from venturi.interfaces.api.v1.wire import ApiRequest, query_of
from venturi.services.control.planning.form import Plan
from venturi.services.control.planning.making import MadePlan
from venturi.services.control.planning.pieces import gzip_stream, plain_stream
from venturi.services.control.plans import LONGEST_WAIT, PlanControl, PlanRequest
from venturi.services.control.policy import OPERATION, Operation

_QUERY = (
    Parameter(name="agent_id", description="Who leases the plan; an agent's token tells it by itself.", form=AgentId),
    Parameter(name="wait", description="How many seconds to wait for a change.", form=Annotated[int, Meta(ge=0, le=LONGEST_WAIT)]),
)
_PARAMETERS = frozenset(parameter.name for parameter in _QUERY)
_KNOWN = Parameter(name="If-None-Match", place="header", description="The ETag of the plan that the reader has.")
_HOST = parameter_in_path("host", "The name of the host.", Host)
_HEADERS = {"ETag": "Identifies the content of the plan, whatever the revision."}
_ETAG = re.compile(r'(?:W/)?"([^"]*)"')
_REFUSED_GZIP = re.compile(r"\bgzip\s*;\s*q=0(?:\.0*)?\s*(?:,|$)")
_JSON = "application/json"


_UNCHANGED = Answer(meaning="The plan is what the reader has.", headers=_HEADERS)


@get(
    "/v1/plans/{host:str}",
    opt={OPERATION: Operation.READ_PLAN},
    tags=["plans"],
    operation_class=declare(
        Answer(form=Plan, meaning="The plan.", headers=_HEADERS), _HOST, *_QUERY, _KNOWN, others={304: _UNCHANGED}, refusals=(409,)
    ),
)
async def show_plan(
    request: ApiRequest, host: FromPath[str], caller: NamedDependency[Principal], plans: NamedDependency[PlanControl]
) -> Response[bytes] | Stream:
    """Give the plan of a host.

    What the agent or collector of the host must meter. Leased to one agent id at a time, which each poll renews: another one gets 409.
    An administrator who gives no agent id reads without a lease. With If-None-Match and ``wait``, the answer comes when the plan
    changes, or 304 when the wait is over.
    """
    query = query_of(request)
    asked = _plan_request(host, query, request.headers.get("if-none-match", ""))
    request.scope["state"][WAITED] = asked.wait > 0
    plan = await plans.read(caller, asked)
    if plan.content in asked.known:
        return Response(b"", status_code=304, headers={"ETag": _etag(plan.content), "Vary": "Accept-Encoding"})
    return _send(plan, compressed=_takes_gzip(request.headers.get("accept-encoding", "")))


def _plan_request(host: str, query: Query, known: str) -> PlanRequest:
    foreign = sorted(set(query) - _PARAMETERS)
    if foreign:
        message = f"{printable(foreign[0])}: a plan has no such parameter"
        raise InvalidRequestError(message)
    agent_id, wait = read_once(query, "agent_id"), read_once(query, "wait")
    return PlanRequest(
        host=read_text("host", host, Host).lower(),
        agent_id=None if agent_id is None else read_text("agent_id", agent_id, AgentId),
        known=frozenset(_ETAG.findall(known)),
        wait=0 if wait is None else read_whole_number("wait", wait, 0, LONGEST_WAIT),
    )


def _send(plan: MadePlan, *, compressed: bool) -> Stream:
    headers = {"ETag": _etag(plan.content), "Vary": "Accept-Encoding", "Cache-Control": "private, no-cache"}
    if compressed:
        return Stream(gzip_stream(plan.pieces), headers={**headers, "Content-Encoding": "gzip"}, media_type=_JSON)
    return Stream(plain_stream(plan.pieces), headers=headers, media_type=_JSON)


def _etag(content: str) -> str:
    """Spell the entity tag, a weak one: it is that of the compressed and of the plain form (RFC 9110 §8.8.1)."""
    return f'W/"{content}"'


def _takes_gzip(accepted: str) -> bool:
    return "gzip" in accepted.lower() and not _REFUSED_GZIP.search(accepted.lower())


PLAN_ROUTES: list[ControllerRouterHandler] = [show_plan]
