"""Alarms and agents for those who ask: lists, and the acknowledging of alarms.

Owns who may see and do what.
"""

from collections.abc import Callable

from venturi.adapters.store.store import Store
from venturi.adapters.store.tables.agents import KeptAgent
from venturi.core.domain.alarm import KeptAlarm
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import AgentNotFoundError, AlarmNotFoundError
from venturi.core.domain.interval import Nanoseconds
from venturi.services.control.policy import Operation, listed_project, require

Alarms = list[KeptAlarm]
Agents = list[KeptAgent]


class AlarmReading:
    """Alarms and agents as they are kept."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds]) -> None:
        self._store = store
        self._clock = clock

    def now(self) -> Nanoseconds:
        """Give the time by which agents are silent or not."""
        return self._clock()

    def alarms(self, caller: Principal, listing: Listing, since: Nanoseconds | None) -> Alarms:
        """List the alarms that the caller may see, with ``since`` those seen at that time or later; raises ``ForbiddenError``."""
        project_id = listed_project(caller, Operation.LIST_ALARMS)
        with self._store.reading() as reader:
            return reader.alarms.list(listing, project_id, since)

    def acknowledge(self, caller: Principal, alarm_id: str) -> KeptAlarm:
        """Note that the caller has seen an alarm; who was first stays. Raises ``AlarmNotFoundError`` and ``ForbiddenError``."""
        require(caller, Operation.ACKNOWLEDGE_ALARM)
        with self._store.writing(caller) as writer:
            writer.alarms.acknowledge(alarm_id, caller.user_id, self._clock())
            alarm = writer.alarms.find(alarm_id)
        if alarm is None:
            message = f"Alarm '{alarm_id}' does not exist."
            raise AlarmNotFoundError(message)
        return alarm

    def agents(self, caller: Principal, limit: int, after: str, host: str | None) -> Agents:
        """List agents by id, at most ``limit`` of those after one, with ``host`` those of a host; raises ``ForbiddenError``."""
        require(caller, Operation.LIST_AGENTS)
        with self._store.reading() as reader:
            return reader.agents.list(limit, after, host)

    def agent(self, caller: Principal, agent_id: str) -> KeptAgent:
        """Give an agent; raises ``AgentNotFoundError`` and ``ForbiddenError``."""
        require(caller, Operation.SHOW_AGENT)
        with self._store.reading() as reader:
            agent = reader.agents.find(agent_id)
        if agent is None:
            raise _no_agent(agent_id)
        return agent

    def forget_agent(self, caller: Principal, agent_id: str) -> None:
        """Forget what an agent that is gone reported, and clear its alarms; raises as ``agent`` does."""
        require(caller, Operation.FORGET_AGENT)
        with self._store.writing(caller) as writer:
            if not writer.agents.forget(agent_id):
                raise _no_agent(agent_id)
            writer.alarms.clear(writer.alarms.open_about(agent_id), self._clock())


def _no_agent(agent_id: str) -> AgentNotFoundError:
    message = f"Agent '{agent_id}' does not exist."
    return AgentNotFoundError(message)
