"""Routes of alarms and of agents."""

from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.agent_status import ReportedStatus
from venturi.core.domain.alarm import AlarmState
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import AgentNotFoundError, AlarmNotFoundError, ForbiddenError, InvalidRequestError, InvalidTimeError
from venturi.core.domain.interval import Nanoseconds, format_time, parse_time
from venturi.core.rules.checks import printable
from venturi.interfaces.api.v1.forms.alarms import agent_form, alarm_form, read_status
from venturi.interfaces.api.v1.forms.reading import Query, cut_page, read_listing, read_once, read_text
from venturi.interfaces.api.v1.forms.texts import AgentId, Host
from venturi.interfaces.api.v1.wire import ApiRequest, answer, identifier, query_of
from venturi.services.alarms.keeping import AlarmKeeping
from venturi.services.alarms.reading import AlarmReading
from venturi.services.control.policy import OPERATION, Operation, require

FILTERS = ("kind", "state")
_COLLECTION = "/v1/alarms"
_AGENTS = "/v1/agents"
_AGENT = "/v1/agents/{agent_id:str}"
_LATEST = (1 << 63) - 1


@get(_COLLECTION, sync_to_thread=True, opt={OPERATION: Operation.LIST_ALARMS})
def list_alarms(
    request: ApiRequest, caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List the alarms that the caller may see."""
    query = dict(query_of(request))
    since = _read_since(query)
    query.pop("since", None)
    listing = read_listing(query, limits.page_resources, FILTERS)
    unknown = sorted({str(state) for state in listing.filters.get("state", ())} - set(AlarmState))
    if unknown:
        message = f"state: '{printable(unknown[0])}' is neither open nor cleared"
        raise InvalidRequestError(message)
    page, following = cut_page(alarms.alarms(caller, listing, since), listing, lambda alarm: alarm.id)
    shown = [alarm_form(alarm, to_administrator=caller.is_admin) for alarm in page]
    return answer({"alarms": shown, "next": following})


@put(f"{_COLLECTION}/{{alarm_id:str}}/acknowledgement", sync_to_thread=True, opt={OPERATION: Operation.ACKNOWLEDGE_ALARM})
def acknowledge_alarm(
    alarm_id: FromPath[str], caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading]
) -> Response[bytes]:
    """Note that the caller has seen an alarm."""
    alarm = alarms.acknowledge(caller, identifier(alarm_id, AlarmNotFoundError, "Alarm"))
    return answer(alarm_form(alarm, to_administrator=True))


@get(_AGENTS, sync_to_thread=True, opt={OPERATION: Operation.LIST_AGENTS})
def list_agents(
    request: ApiRequest, caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List the agents that report, and those that only post."""
    query = query_of(request)
    listing = read_listing({name: texts for name, texts in query.items() if name != "host"}, limits.page_resources)
    host = read_once(query, "host")
    wanted = None if host is None else read_text("host", host, Host)
    page, following = cut_page(
        alarms.agents(caller, listing.limit or 0, listing.marker or "", wanted), listing, lambda agent: agent.agent_id
    )
    return answer({"agents": [agent_form(agent, alarms.now()) for agent in page], "next": following})


@get(_AGENT, sync_to_thread=True, opt={OPERATION: Operation.SHOW_AGENT})
def show_agent(agent_id: FromPath[str], caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading]) -> Response[bytes]:
    """Give an agent and its last status."""
    return answer(agent_form(alarms.agent(caller, _agent_id(agent_id)), alarms.now()))


@put(_AGENT, sync_to_thread=False, opt={OPERATION: Operation.PUT_STATUS})
def put_status(
    agent_id: FromPath[str], body: bytes, caller: NamedDependency[Principal], alarm_keeping: NamedDependency[AlarmKeeping]
) -> Response[bytes]:
    """Take the status of an agent, of which the last one of each second is kept; the answer says when it came."""
    require(caller, Operation.PUT_STATUS)
    name = read_text("agent_id", agent_id, AgentId)
    status = read_status(body)
    _require_own(caller, name, status)
    received = alarm_keeping.receive(name, status)
    return answer({"agent_id": name, "received_at": format_time(received)})


@delete(_AGENT, sync_to_thread=True, opt={OPERATION: Operation.FORGET_AGENT})
def forget_agent(agent_id: FromPath[str], caller: NamedDependency[Principal], alarms: NamedDependency[AlarmReading]) -> None:
    """Forget what an agent reported that is gone."""
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
