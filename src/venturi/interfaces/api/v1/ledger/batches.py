"""Routes by which something is posted: batches and corrections."""

import asyncio
from concurrent.futures import Future
from dataclasses import asdict
from typing import Annotated

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from venturi.adapters.server.memory import trim_memory
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import VenturiError
from venturi.core.ledger.batch import MEDIA_TYPE
from venturi.interfaces.api.answers import forget_frames
from venturi.interfaces.api.openapi.declaring import RequestBody, declare
from venturi.interfaces.api.turns import ServerTurns
from venturi.interfaces.api.v1.forms.ledger import AcknowledgementForm, NewCorrectionForm, PostingForm, correction_lines, posting_fields
from venturi.interfaces.api.v1.wire import JsonBody, answer
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.ledger.correcting import CorrectionPosting
from venturi.services.ledger.grouping import GroupPosting
from venturi.services.ledger.posting import Acknowledgement
from venturi.services.ledger.reading import LedgerReading

_LARGE = 4_096
"""From how many octets on a batch may have made much of its memory."""

_TAGS = ["ledger"]
_BATCH = RequestBody(form=Annotated[bytes, Meta(extra_json_schema={"format": "binary"})], media_type=MEDIA_TYPE)
_LINE = {"posting": 17, "ordinal": 3, "packets": -2, "octets": -3000}
_CORRECTION = JsonBody(
    form=NewCorrectionForm,
    example={"id": "0d9c6f2e-7a43-4a55-9a53-2d0a7b6f3a11", "reason": "counted twice on 3 March", "entries": [_LINE]},
)


@post(
    "/v1/batches",
    status_code=200,
    opt={OPERATION: Operation.POST_BATCH},
    tags=_TAGS,
    operation_class=declare(AcknowledgementForm, request=_BATCH, refusals=(409, 429)),
)
async def post_batch(
    body: RawBody, caller: NamedDependency[Principal], batches: NamedDependency[GroupPosting], turns: NamedDependency[ServerTurns]
) -> Response[bytes]:
    """Post a batch.

    The answer comes when the batch is on stable storage. The same batch again gets the same answer and posts nothing; another one of
    the same agent, spool and sequence gets 409 and is kept aside, as is one that does not follow from its neighbours. Batches may come
    late and in any order. An agent posts its own. Intervals that fail a check are held: they are posted, but count nowhere until an
    administrator accepts or rejects them. If too much of an agent's is held, the answer is 429; the same batch may come again. A batch
    that is too large gets 413; after 503 it is welcome later. How many batches before it are missing lets an agent notice a ledger that
    was restored from a backup.
    """

    def submit() -> Future[Acknowledgement]:
        try:
            return batches.submit(caller, body)
        except VenturiError as error:
            forget_frames(error)
            if len(body) > _LARGE:
                trim_memory()
            raise

    posted = await turns.batches.run(caller.user_id, submit)
    try:
        acknowledged = await asyncio.wrap_future(posted)
    except VenturiError as error:
        forget_frames(error)
        raise
    return answer(asdict(acknowledged))


@post(
    "/v1/corrections",
    opt={OPERATION: Operation.POST_CORRECTION},
    tags=_TAGS,
    operation_class=declare(PostingForm, request=_CORRECTION, refusals=(404, 409)),
)
async def post_correction(
    body: RawBody,
    caller: NamedDependency[Principal],
    corrections: NamedDependency[CorrectionPosting],
    ledger: NamedDependency[LedgerReading],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Post a correction.

    Adds to the counts of entries that it names. They stay; every figure from now on has the correction in it. With an ``id`` of yours
    it may be sent again: the same one gets the same answer and posts nothing, another one of that id gets 409.
    """

    def post_form() -> Response[bytes]:
        form = _CORRECTION.read(body)
        number = corrections.post(caller, form.reason, correction_lines(form), None if form.id is None else str(form.id))
        posting, _ = ledger.posting(caller, number, 0, 0)
        return answer(posting_fields(posting), status=201)

    return await turns.batches.run(caller.user_id, post_form)


POSTING_ROUTES: list[ControllerRouterHandler] = [post_batch, post_correction]
