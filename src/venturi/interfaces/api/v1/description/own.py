"""The description of venturi's own API: points, labels, explanations, tokens, revisions, plans."""

from typing import Annotated, Any

from msgspec import Meta

from venturi.core.domain.control.principal import Role
from venturi.core.domain.direction import Direction
from venturi.core.domain.point import PointKind, PointTraffic
from venturi.interfaces.api.v1.description.operations import Answer, Operation, Parameter
from venturi.interfaces.api.v1.forms.applying import AppliedForm, ApplyForm
from venturi.interfaces.api.v1.forms.callers import CallerForm
from venturi.interfaces.api.v1.forms.explaining import ExplanationForm, QuestionForm
from venturi.interfaces.api.v1.forms.labels import LabelChangesForm, LabelForm, LabelList, NewRulesForm, RuleList, RuleSet
from venturi.interfaces.api.v1.forms.points import NewPointForm, PointChangesForm, PointForm, PointList
from venturi.interfaces.api.v1.forms.revisions import RevisionList, RevisionWithChanges, StateForm
from venturi.interfaces.api.v1.forms.texts import FIT_OR_EMPTY, AgentId, Host
from venturi.interfaces.api.v1.forms.tokens import MadeTokenForm, NewTokenForm, TokenForm, TokenList
from venturi.services.control.planning.form import Plan
from venturi.services.control.plans import LONGEST_WAIT

_FILTER = Annotated[str, Meta(pattern=FIT_OR_EMPTY)]
_TYPES: dict[str, Any] = {
    "shared": bool,
    "excluded": bool,
    "kind": PointKind,
    "traffic": PointTraffic,
    "role": Role,
    "direction": Direction,
}
_WAIT = Annotated[int, Meta(ge=0, le=LONGEST_WAIT)]
_POINT_ID = Parameter(name="point_id", place="path", description="The id of the observation point.")
_LABEL_ID = Parameter(name="label_id", place="path", description="The id of the label.")
_TOKEN_ID = Parameter(name="token_id", place="path", description="The id of the token.")
_NUMBER = Parameter(name="number", place="path", description="The number of the revision.", form=Annotated[int, Meta(ge=0, lt=10**18)])
_POINT_EXAMPLE = {"kind": "interface", "name": "uplink", "host": "edge-1", "device": "eth0", "shared": True}


def _paged(largest: int, *filters: str) -> list[Parameter]:
    pages = [
        Parameter(name="limit", description="How many resources the page holds at most.", form=Annotated[int, Meta(ge=1, le=largest)]),
        Parameter(name="marker", description="The ``next`` of the page before.", form=_FILTER),
    ]
    equal = [
        Parameter(
            name=name, description=f"Only those with this very {name}; repeated, any of them.", form=_TYPES.get(name, _FILTER), many=True
        )
        for name in filters
    ]
    return pages + equal


def own_operations(largest_page: int) -> list[Operation]:
    """Describe the own API of a server whose pages hold ``largest_page`` resources at most."""
    return [
        *_points(largest_page),
        *_labels(largest_page),
        _apply(),
        *_tokens(largest_page),
        *_revisions(largest_page),
        _explain(),
        _plan(),
        _caller(),
    ]


def _points(largest: int) -> list[Operation]:
    return [*_point_collection("observation points", "/v1/observation-points", largest), *_one_point("observation points")]


def _point_collection(group: str, collection: str, largest: int) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=collection,
            group=group,
            summary="List observation points",
            description="Lists the points that the caller may see: all to an administrator, those of the project to others.",
            parameters=_paged(largest, "id", "name", "project_id", "shared", "kind", "traffic", "boundary"),
            answers={200: Answer(description="A page of points.", form=PointList)},
            refusals=(404,),
        ),
        Operation(
            method="POST",
            path=collection,
            group=group,
            summary="Make an observation point",
            description="Two points cannot be at one place. Without a project, the point is one of the caller's project.",
            request=NewPointForm,
            example=_POINT_EXAMPLE,
            answers={201: Answer(description="The point.", form=PointForm)},
            refusals=(409, 413),
        ),
    ]


def _one_point(group: str) -> list[Operation]:
    one = "/v1/observation-points/{point_id}"
    return [
        Operation(
            method="GET",
            path=one,
            group=group,
            summary="Show an observation point",
            description="A point of another project does not exist to a caller who is no administrator.",
            parameters=[_POINT_ID],
            answers={200: Answer(description="The point in full.", form=PointForm)},
            refusals=(404,),
        ),
        Operation(
            method="PATCH",
            path=one,
            group=group,
            summary="Change an observation point",
            description="Changes the attributes given. The kind of a point stays, and so does its project.",
            parameters=[_POINT_ID],
            request=PointChangesForm,
            example={"name": "uplink 2", "traffic": "both"},
            answers={200: Answer(description="The point as it is now.", form=PointForm)},
            refusals=(404, 409, 413),
        ),
        Operation(
            method="DELETE",
            path=one,
            group=group,
            summary="Remove an observation point",
            description="What was counted there stays.",
            parameters=[_POINT_ID],
            answers={204: Answer(description="The point is gone.")},
            refusals=(404,),
        ),
    ]


def _labels(largest: int) -> list[Operation]:
    return [*_labels_themselves("labels", "/v1/labels/{label_id}", largest), *_rules("labels", "/v1/labels/{label_id}/rules", largest)]


def _labels_themselves(group: str, one: str, largest: int) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path="/v1/labels",
            group=group,
            summary="List labels",
            description="Lists the labels that the caller may see. They are made and deleted by the Networking API.",
            parameters=_paged(largest, "id", "name", "description", "project_id", "shared"),
            answers={200: Answer(description="A page of labels.", form=LabelList)},
            refusals=(404,),
        ),
        Operation(
            method="GET",
            path=one,
            group=group,
            summary="Show a label",
            description="A label of another project does not exist to a caller who is no administrator.",
            parameters=[_LABEL_ID],
            answers={200: Answer(description="The label.", form=LabelForm)},
            refusals=(404,),
        ),
        Operation(
            method="PATCH",
            path=one,
            group=group,
            summary="Rename or redescribe a label",
            description="Makes one revision, or none if nothing changes. What the label counts stays the same.",
            parameters=[_LABEL_ID],
            request=LabelChangesForm,
            example={"name": "customer 7"},
            answers={200: Answer(description="The label as it is now.", form=LabelForm)},
            refusals=(404, 413),
        ),
    ]


def _rules(group: str, rules: str, largest: int) -> list[Operation]:
    filters = ("id", "direction", "excluded", "remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix")
    return [
        Operation(
            method="GET",
            path=rules,
            group=group,
            summary="List the rules of a label",
            description="Prefixes are spelled as their author spelled them.",
            parameters=[_LABEL_ID, *_paged(largest, *filters)],
            answers={200: Answer(description="A page of rules.", form=RuleList)},
            refusals=(404,),
        ),
        Operation(
            method="PUT",
            path=rules,
            group=group,
            summary="Replace the rules of a label",
            description="In one transaction and one revision; rules that are there already keep their ids. An equal set changes nothing.",
            parameters=[_LABEL_ID],
            request=NewRulesForm,
            example={"rules": [{"direction": "egress", "source_ip_prefix": "10.0.0.0/24"}]},
            answers={200: Answer(description="All rules of the label.", form=RuleSet)},
            refusals=(404, 409, 413),
        ),
    ]


def _apply() -> Operation:
    rule = {"direction": "egress", "source_ip_prefix": "10.0.0.0/24"}
    return Operation(
        method="POST",
        path="/v1/apply",
        group="labels",
        summary="Apply changes of labels and rules as one",
        description=(
            "All or none, in one transaction and one revision, so that agents change what they count by at once. Each change needs what it "
            "needs by itself. Deletions come first, then changes, then what is new."
        ),
        request=ApplyForm,
        example={"create_labels": [{"name": "customer 7", "rules": [rule]}]},
        answers={200: Answer(description="The revision, and the ids.", form=AppliedForm)},
        refusals=(404, 409, 413),
    )


def _tokens(largest: int) -> list[Operation]:
    return [*_token_collection("tokens", "/v1/tokens", largest), *_one_token("tokens", "/v1/tokens/{token_id}")]


def _token_collection(group: str, collection: str, largest: int) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=collection,
            group=group,
            summary="List tokens",
            description="Lists all tokens, expired and revoked ones too, without their secrets.",
            parameters=_paged(largest, "id", "name", "project_id", "role"),
            answers={200: Answer(description="A page of tokens.", form=TokenList)},
            refusals=(404,),
        ),
        Operation(
            method="POST",
            path=collection,
            group=group,
            summary="Make a token",
            description="The secret is in this answer and nowhere else. An agent's token needs ``agent_id`` and ``host``.",
            request=NewTokenForm,
            example={"role": "reader", "name": "dashboard", "project_id": "7"},
            answers={201: Answer(description="The token and its secret.", form=MadeTokenForm)},
            refusals=(413,),
        ),
    ]


def _one_token(group: str, one: str) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=one,
            group=group,
            summary="Show a token",
            description="Tells all that is known of it, when it was last used too.",
            parameters=[_TOKEN_ID],
            answers={200: Answer(description="The token.", form=TokenForm)},
            refusals=(404,),
        ),
        Operation(
            method="DELETE",
            path=one,
            group=group,
            summary="Revoke a token",
            description="It opens nothing any more, at once and for good; it stays in the list.",
            parameters=[_TOKEN_ID],
            answers={204: Answer(description="The token is revoked.")},
            refusals=(404,),
        ),
    ]


def _revisions(largest: int) -> list[Operation]:
    group = "revisions"
    return [
        Operation(
            method="GET",
            path="/v1/revisions",
            group=group,
            summary="List revisions",
            description="Every change of labels, rules and points made one; numbers follow the order of commits.",
            parameters=_paged(largest),
            answers={200: Answer(description="A page of revisions.", form=RevisionList)},
            refusals=(404,),
        ),
        Operation(
            method="GET",
            path="/v1/revisions/{number}",
            group=group,
            summary="Show what a revision changed",
            description="Names the author, the time, and each resource that was created, changed or deleted.",
            parameters=[_NUMBER],
            answers={200: Answer(description="The revision.", form=RevisionWithChanges)},
            refusals=(404,),
        ),
        Operation(
            method="GET",
            path="/v1/revisions/{number}/state",
            group=group,
            summary="Read a revision back",
            description="All labels with their rules, and all points, as they stood then.",
            parameters=[_NUMBER],
            answers={200: Answer(description="The state.", form=StateForm)},
            refusals=(404,),
        ),
    ]


def _explain() -> Operation:
    return Operation(
        method="POST",
        path="/v1/explain",
        group="explain",
        summary="Explain which labels count a packet",
        description="Asks the labels that apply at a point, or all that the caller may see, and lists those with a matching rule.",
        request=QuestionForm,
        example={"source": "10.0.0.7", "destination": "192.0.2.1", "direction": "egress"},
        answers={200: Answer(description="Why each label counts the packet, or does not.", form=ExplanationForm)},
        refusals=(404, 413),
    )


def _caller() -> Operation:
    return Operation(
        method="GET",
        path="/v1/caller",
        group="caller",
        summary="Tell who the caller is",
        description="Name, project and roles for which the server takes whoever asks.",
        answers={200: Answer(description="The caller.", form=CallerForm)},
    )


def _plan() -> Operation:
    header = {"ETag": "Identifies the content of the plan, whatever the revision."}
    return Operation(
        method="GET",
        path="/v1/plans/{host}",
        group="plans",
        summary="Give the plan of a host",
        description=(
            "What the agent or collector of the host must meter. Leased to one agent id at a time, which each poll renews: another one "
            "gets 409. An administrator who gives no agent id reads without a lease. With If-None-Match and ``wait``, the answer comes "
            "when the plan changes, or 304 when the wait is over."
        ),
        parameters=[
            Parameter(name="host", place="path", description="The name of the host.", form=Host),
            Parameter(name="agent_id", description="Who leases the plan; an agent's token tells it by itself.", form=AgentId),
            Parameter(name="wait", description="How many seconds to wait for a change.", form=_WAIT),
            Parameter(name="If-None-Match", place="header", description="The ETag of the plan that the reader has."),
        ],
        answers={
            200: Answer(description="The plan.", form=Plan, headers=header),
            304: Answer(description="The plan is what the reader has.", headers=header),
        },
        refusals=(409,),
    )
