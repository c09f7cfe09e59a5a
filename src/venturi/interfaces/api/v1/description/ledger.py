"""The description of the ledger's part of the own API: batches, what is held, spools, postings and corrections."""

from typing import Annotated

from msgspec import Meta

from venturi.core.ledger.batch import MEDIA_TYPE
from venturi.interfaces.api.v1.description.operations import Answer, Operation, Parameter
from venturi.interfaces.api.v1.forms.held import DecisionForm, HeldList, NewDecisionForm
from venturi.interfaces.api.v1.forms.ledger import (
    AcknowledgementForm,
    NewCorrectionForm,
    PostingForm,
    PostingList,
    PostingWithEntries,
    SpoolForm,
    SpoolList,
)
from venturi.interfaces.api.v1.forms.texts import FIT_OR_EMPTY

_GROUP = "ledger"
_TEXT = Annotated[str, Meta(pattern=FIT_OR_EMPTY)]
_ORDINAL = Annotated[int, Meta(ge=0, lt=1 << 31)]
_MARKER = Annotated[str, Meta(pattern=r"^[0-9]{1,18}\.[0-9]{1,9}\Z")]
_ENVELOPE = Annotated[bytes, Meta(extra_json_schema={"format": "binary"})]
_LINE = {"posting": 17, "ordinal": 3, "packets": -2, "octets": -3000}


def ledger_operations(largest_page: int) -> list[Operation]:
    """Describe the ledger of a server whose pages hold ``largest_page`` resources at most."""
    limit = Parameter(name="limit", description="How many the page holds at most.", form=Annotated[int, Meta(ge=1, le=largest_page)])
    return [_post_batch(), _post_correction(), *_held(limit), *_spools(limit), *_postings(limit)]


def _post_batch() -> Operation:
    return Operation(
        method="POST",
        path="/v1/batches",
        group=_GROUP,
        summary="Post a batch",
        description=(
            "The answer comes when the batch is on stable storage. The same batch again gets the same answer and posts nothing; another "
            "one of the same agent, spool and sequence gets 409 and is kept aside, as is one that does not follow from its neighbours. "
            "Batches may come late and in any order. An agent posts its own. Intervals that fail a check are held: they are posted, but "
            "count nowhere until an administrator accepts or rejects them. If too much of an agent's is held, the answer is 429; the same "
            "batch may come again. A batch that is too large gets 413; after 503 it is welcome later."
        ),
        request=_ENVELOPE,
        request_media_type=MEDIA_TYPE,
        answers={200: Answer(description="The batch is posted, now or before.", form=AcknowledgementForm)},
        refusals=(409, 413, 429),
    )


def _post_correction() -> Operation:
    return Operation(
        method="POST",
        path="/v1/corrections",
        group=_GROUP,
        summary="Post a correction",
        description=(
            "Adds to the counts of entries that it names. They stay; every figure from now on has the correction in it. With an ``id`` of "
            "yours it may be sent again: the same one gets the same answer and posts nothing, another one of that id gets 409."
        ),
        request=NewCorrectionForm,
        example={"id": "0d9c6f2e-7a43-4a55-9a53-2d0a7b6f3a11", "reason": "counted twice on 3 March", "entries": [_LINE]},
        answers={201: Answer(description="The posting, made now or before.", form=PostingForm)},
        refusals=(404, 409, 413),
    )


def _held(limit: Parameter) -> list[Operation]:
    marker = Parameter(name="marker", description="The ``next`` of the page before.", form=_MARKER)
    filters = [
        Parameter(name=name, description=f"Only those with {said}; repeated, with any of them.", form=_TEXT, many=True)
        for name, said in (
            ("agent_id", "this very agent_id"),
            ("observation_point_id", "this observation point"),
            ("label_id", "usage of this label"),
            ("reason", "this reason"),
            ("decision", "this decision, by default held"),
        )
    ]
    decision = (
        "Name the intervals, or give filters: then it decides about the first of what passes them all, and tells how many ``remaining`` "
        "there are for another request. What was decided about before gets 409."
    )
    return [
        Operation(
            method="GET",
            path="/v1/held",
            group=_GROUP,
            summary="List what is held",
            description="Lists the intervals that failed a check, by posting and ordinal: by default those that nobody decided about.",
            parameters=[limit, marker, *filters],
            answers={200: Answer(description="A page of intervals.", form=HeldList)},
        ),
        Operation(
            method="POST",
            path="/v1/acceptances",
            group=_GROUP,
            summary="Accept what is held",
            description=f"It counts from the posting of this on. What overlaps what counts at its place gets 409. {decision}",
            request=NewDecisionForm,
            example={"reason": "a burst that we know of", "intervals": [{"posting": 17, "ordinal": 0}]},
            answers={201: Answer(description="The posting.", form=DecisionForm)},
            refusals=(404, 409, 413),
        ),
        Operation(
            method="POST",
            path="/v1/rejections",
            group=_GROUP,
            summary="Reject what is held",
            description=f"It never counts. {decision}",
            request=NewDecisionForm,
            example={"reason": "forged", "agent_id": "agent-2", "held_reason": "untold_point"},
            answers={201: Answer(description="The posting.", form=DecisionForm)},
            refusals=(404, 409, 413),
        ),
    ]


def _spools(limit: Parameter) -> list[Operation]:
    marker = Parameter(name="marker", description="The ``next`` of the page before.", form=_TEXT)
    spool_id = Parameter(name="spool_id", place="path", description="The id of the spool.")
    return [
        Operation(
            method="GET",
            path="/v1/spools",
            group=_GROUP,
            summary="List spools",
            description="Lists the spools that batches came from, each with the sequences that are outstanding.",
            parameters=[limit, marker],
            answers={200: Answer(description="A page of spools.", form=SpoolList)},
        ),
        Operation(
            method="GET",
            path="/v1/spools/{spool_id}",
            group=_GROUP,
            summary="Show what is posted of a spool",
            description="What an agent asks before it delivers. Of a spool that nothing is posted of, the highest sequence is 0.",
            parameters=[spool_id],
            answers={200: Answer(description="The spool.", form=SpoolForm)},
            refusals=(404,),
        ),
    ]


def _postings(limit: Parameter) -> list[Operation]:
    marker = Parameter(name="marker", description="The ``next`` of the page before.", form=_TEXT)
    after = Parameter(name="marker", description="The ``next`` of the page before.", form=_ORDINAL)
    equal = [
        Parameter(name=name, description=f"Only those with this very {name}; repeated, any of them.", form=_TEXT, many=True)
        for name in ("kind", "agent_id", "spool_id")
    ]
    number = Parameter(name="number", place="path", description="The number of the posting.", form=Annotated[int, Meta(ge=0, lt=10**18)])
    return [
        Operation(
            method="GET",
            path="/v1/postings",
            group=_GROUP,
            summary="List postings",
            description="Lists batches and corrections in the order of their commits.",
            parameters=[limit, marker, *equal],
            answers={200: Answer(description="A page of postings.", form=PostingList)},
            refusals=(404,),
        ),
        Operation(
            method="GET",
            path="/v1/postings/{number}",
            group=_GROUP,
            summary="Show a posting and its entries",
            description="Every record with point, place, interval, classifier and revision, and with labels and points as they were then.",
            parameters=[number, limit, after],
            answers={200: Answer(description="The posting and a page of its entries.", form=PostingWithEntries)},
            refusals=(404,),
        ),
    ]
