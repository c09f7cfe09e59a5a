"""The description of alarms and agents in the own API."""

from typing import Annotated, Any

from msgspec import Meta

from venturi.core.domain.agent_status import ReportedStatus
from venturi.core.domain.alarm import AlarmState
from venturi.interfaces.api.v1.description.operations import Answer, Operation, Parameter
from venturi.interfaces.api.v1.forms.alarms import AgentForm, AgentList, AlarmForm, AlarmList, ReceivedForm
from venturi.interfaces.api.v1.forms.texts import FIT_OR_EMPTY, AgentId, Host, TimeText

_TEXT = Annotated[str, Meta(pattern=FIT_OR_EMPTY)]
_AGENT_ID = Parameter(name="agent_id", place="path", description="What the agent calls itself.", form=AgentId)
_STATUS_EXAMPLE = {"host": "edge-1", "version": "1.0.0", "driver": "ebpf", "phase": "idle", "report_interval_seconds": 60}


def alarm_operations(largest_page: int) -> list[Operation]:
    """Describe the alarms of a server whose pages hold ``largest_page`` resources at most, and its agents."""
    return [*_alarms(_pages(largest_page)), *_agents(_pages(largest_page))]


def _pages(largest: int) -> list[Parameter]:
    limit: Any = Annotated[int, Meta(ge=1, le=largest)]
    return [
        Parameter(name="limit", description="How many the page holds at most.", form=limit),
        Parameter(name="marker", description="The ``next`` of the page before.", form=_TEXT),
    ]


def _alarms(pages: list[Parameter]) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path="/v1/alarms",
            group="alarms",
            summary="List alarms",
            description=(
                "Lists what an operator should see to: all alarms to an administrator; to others those about points and labels of their "
                "project, without agents and hosts."
            ),
            parameters=[
                *pages,
                Parameter(name="kind", description="Only those of this kind; repeated, any of them.", form=_TEXT, many=True),
                Parameter(name="state", description="Only open or only cleared ones.", form=AlarmState, many=True),
                Parameter(name="since", description="Only those that were seen at that time or later.", form=TimeText),
            ],
            answers={200: Answer(description="A page of alarms.", form=AlarmList)},
            refusals=(404,),
        ),
        Operation(
            method="PUT",
            path="/v1/alarms/{alarm_id}/acknowledgement",
            group="alarms",
            summary="Acknowledge an alarm",
            description="Notes that the caller has seen it. The first to do so stays; when the alarm opens again, it is to be seen again.",
            parameters=[Parameter(name="alarm_id", place="path", description="The id of the alarm.")],
            answers={200: Answer(description="The alarm.", form=AlarmForm)},
            refusals=(404,),
        ),
    ]


def _agents(pages: list[Parameter]) -> list[Operation]:
    group, one = "agents", "/v1/agents/{agent_id}"
    return [
        Operation(
            method="GET",
            path="/v1/agents",
            group=group,
            summary="List agents",
            description="Lists the agents that report, each with its last status, and those that only post, as older versions do.",
            parameters=[*pages, Parameter(name="host", description="Only those of this host.", form=Host)],
            answers={200: Answer(description="A page of agents.", form=AgentList)},
            refusals=(404,),
        ),
        Operation(
            method="GET",
            path=one,
            group=group,
            summary="Show an agent",
            description="Gives its last status, and when it reported and posted last.",
            parameters=[_AGENT_ID],
            answers={200: Answer(description="The agent.", form=AgentForm)},
            refusals=(404,),
        ),
        Operation(
            method="PUT",
            path=one,
            group=group,
            summary="Report the status of an agent",
            description=(
                "An agent does so every report interval, and tells of itself and its own host alone. Its open alarms are those in the "
                "status: those that are not in it any more are cleared. Of several in a second, the last one is kept."
            ),
            parameters=[_AGENT_ID],
            request=ReportedStatus,
            example=_STATUS_EXAMPLE,
            answers={200: Answer(description="When the status came, by the clock of the server.", form=ReceivedForm)},
            refusals=(413,),
        ),
        Operation(
            method="DELETE",
            path=one,
            group=group,
            summary="Forget an agent",
            description="Forgets what an agent reported that is gone, and clears its alarms. What it posted stays.",
            parameters=[_AGENT_ID],
            answers={204: Answer(description="The agent is forgotten.")},
            refusals=(404,),
        ),
    ]
