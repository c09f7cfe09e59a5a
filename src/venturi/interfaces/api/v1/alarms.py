"""Routes of alarms and of agents."""

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.agent_status import ReportedStatus
from venturi.core.domain.alarm import AlarmState
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import AgentNotFoundError, AlarmNotFoundError, ForbiddenError, InvalidRequestError, InvalidTimeError
from venturi.core.domain.interval import Nanoseconds, format_time, parse_time
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import Answer, Parameter, RequestBody, declare, parameter_in_path
from venturi.interfaces.api.v1.forms.alarms import (
    AgentForm,
    AgentList,
    AlarmForm,
    AlarmList,
    ReceivedForm,
    agent_form,
    alarm_form,
    read_status,
)
from venturi.interfaces.api.v1.forms.reading import Query, cut_page, listing_parameters, read_listing, read_once, read_text
from venturi.interfaces.api.v1.forms.texts import AgentId, FitText, GivenTime, Host
from venturi.interfaces.api.v1.wire import ApiRequest, answer, identifier, query_of
from venturi.services.alarms.keeping import AlarmKeeping
from venturi.services.alarms.reading import AlarmReading
from venturi.services.control.policy import OPERATION, Operation, require

FILTERS = {"kind": FitText, "state": AlarmState}
_COLLECTION = "/v1/alarms"
_AGENTS = "/v1/agents"
_AGENT = "/v1/agents/{agent_id:str}"
_LATEST = (1 << 63) - 1
_TAGS, _AGENT_TAGS = ["alarms"], ["agents"]
_STATUS = RequestBody(
    form=ReportedStatus,
    example={"host": "edge-1", "version": "1.0.0", "driver": "ebpf", "phase": "idle", "report_interval_seconds": 60},
)
_AGENT_ID = parameter_in_path("agent_id", "What the agent calls itself.", AgentId)
_HOST = Parameter(name="host", description="Only those of this host.", form=Host)
_SINCE = Parameter(name="since", description="Only those that were seen at that time or later.", form=GivenTime)


@get(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_ALARMS},
    tags=_TAGS,
    operation_class=declare(AlarmList, *listing_parameters(FILTERS), _SINCE, refusals=(404,)),
)
def list_alarms(
    request: ApiRequest, caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List alarms.

    Lists what an operator should see to: all alarms to an administrator; to others those about points and labels of their project,
    without agents and hosts.
    """
    query = dict(query_of(request))
    since = _read_since(query)
    query.pop("since", None)
    listing = read_listing(query, limits.page_resources, FILTERS)
    page, following = cut_page(alarms.alarms(caller, listing, since), listing, lambda alarm: alarm.id)
    shown = [alarm_form(alarm, to_administrator=caller.is_admin) for alarm in page]
    return answer({"alarms": shown, "next": following})


@put(
    f"{_COLLECTION}/{{alarm_id:str}}/acknowledgement",
    sync_to_thread=True,
    opt={OPERATION: Operation.ACKNOWLEDGE_ALARM},
    tags=_TAGS,
    operation_class=declare(AlarmForm, parameter_in_path("alarm_id", "The id of the alarm."), refusals=(404,)),
)
def acknowledge_alarm(
    alarm_id: FromPath[str], caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading]
) -> Response[bytes]:
    """Acknowledge an alarm.

    Notes that the caller has seen it. The first to do so stays; when the alarm opens again, it is to be seen again.
    """
    alarm = alarms.acknowledge(caller, identifier(alarm_id, AlarmNotFoundError, "Alarm"))
    return answer(alarm_form(alarm, to_administrator=True))


@get(
    _AGENTS,
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_AGENTS},
    tags=_AGENT_TAGS,
    operation_class=declare(AgentList, *listing_parameters(), _HOST, refusals=(404,)),
)
def list_agents(
    request: ApiRequest, caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List agents.

    Lists the agents that report, each with its last status, and those that only post, as older versions do.
    """
    query = query_of(request)
    listing = read_listing({name: texts for name, texts in query.items() if name != "host"}, limits.page_resources)
    host = read_once(query, "host")
    wanted = None if host is None else read_text("host", host, Host)
    page, following = cut_page(
        alarms.agents(caller, listing.limit or 0, listing.marker or "", wanted), listing, lambda agent: agent.agent_id
    )
    return answer({"agents": [agent_form(agent, alarms.now()) for agent in page], "next": following})


@get(
    _AGENT,
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_AGENT},
    tags=_AGENT_TAGS,
    operation_class=declare(AgentForm, _AGENT_ID, refusals=(404,)),
)
def show_agent(agent_id: FromPath[str], caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading]) -> Response[bytes]:
    """Show an agent.

    Gives its last status, and when it reported and posted last.
    """
    return answer(agent_form(alarms.agent(caller, _agent_id(agent_id)), alarms.now()))


@put(
    _AGENT,
    sync_to_thread=False,
    opt={OPERATION: Operation.PUT_STATUS},
    tags=_AGENT_TAGS,
    operation_class=declare(ReceivedForm, _AGENT_ID, request=_STATUS),
)
def put_status(
    agent_id: FromPath[str], body: RawBody, caller: NamedDependency[Principal], alarm_keeping: NamedDependency[AlarmKeeping]
) -> Response[bytes]:
    """Report the status of an agent.

    An agent does so every report interval, and tells of itself and its own host alone. Its open alarms are those in the status: those
    that are not in it any more are cleared. Of several in a second, the last one is kept. The answer says when the status came, by the
    clock of the server.
    """
    require(caller, Operation.PUT_STATUS)
    name = read_text("agent_id", agent_id, AgentId)
    status = read_status(body)
    _require_own(caller, name, status)
    received = alarm_keeping.receive(name, status)
    return answer({"agent_id": name, "received_at": format_time(received)})


@delete(
    _AGENT,
    sync_to_thread=True,
    opt={OPERATION: Operation.FORGET_AGENT},
    tags=_AGENT_TAGS,
    operation_class=declare(Answer(meaning="The agent is forgotten."), _AGENT_ID, refusals=(404,)),
)
def forget_agent(agent_id: FromPath[str], caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading]) -> None:
    """Forget an agent.

    Forgets what an agent reported that is gone, and clears its alarms. What it posted stays.
    """
    alarms.forget_agent(caller, _agent_id(agent_id))


def _require_own(caller: Principal, agent_id: str, status: ReportedStatus) -> None:
    """Refuse the status of another agent or host than those that the caller's token is bound to."""
    if caller.agent_id is None:
        return
    if agent_id != caller.agent_id:
        message = f"this token is bound to agent '{caller.agent_id}'"
        raise ForbiddenError(message)
    if status.host.lower() != (caller.host or "").lower():
        message = f"this token is bound to host '{caller.host}'"
        raise ForbiddenError(message)


def _agent_id(text: str) -> str:
    try:
        return read_text("agent_id", text, AgentId)
    except InvalidRequestError as error:
        message = f"Agent '{printable(text)}' does not exist."
        raise AgentNotFoundError(message) from error


def _read_since(query: Query) -> Nanoseconds | None:
    text = read_once(query, "since")
    if text is None:
        return None
    try:
        return Nanoseconds(max(0, min(parse_time(text), _LATEST)))
    except InvalidTimeError as error:
        message = f"since: {error}"
        raise InvalidTimeError(message) from error


ALARM_ROUTES: list[ControllerRouterHandler] = [list_alarms, acknowledge_alarm, list_agents, show_agent, put_status, forget_agent]
