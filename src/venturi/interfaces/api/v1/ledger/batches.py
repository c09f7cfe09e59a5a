"""Routes by which something is posted: batches and corrections."""

from dataclasses import asdict

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.memory import trim_memory
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import VenturiError
from venturi.interfaces.api.answers import forget_frames
from venturi.interfaces.api.turns import ServerTurns
from venturi.interfaces.api.v1.forms.ledger import NewCorrectionForm, correction_lines, posting_fields
from venturi.interfaces.api.v1.forms.reading import read_body
from venturi.interfaces.api.v1.wire import answer
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.ledger.correcting import CorrectionPosting
from venturi.services.ledger.posting import BatchPosting
from venturi.services.ledger.reading import LedgerReading

_LARGE = 4_096
"""From how many octets on a batch may have made much of its memory."""


@post("/v1/batches", opt={OPERATION: Operation.POST_BATCH})
async def post_batch(
    body: bytes,
    caller: NamedDependency[Principal],
    batches: NamedDependency[BatchPosting],
    ledger: NamedDependency[LedgerReading],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Post a batch, and answer once it is on stable storage; a batch that is posted already is answered alike.

    How many batches before it are missing lets an agent notice a ledger that was restored from a backup.
    """

    def post() -> dict[str, object]:
        try:
            acknowledged = batches.post(caller, body)
            missing = ledger.spool(caller, acknowledged.spool_id).spool.missing
            return asdict(acknowledged) | {"missing": sum(last - first + 1 for first, last in missing)}
        except VenturiError as error:
            forget_frames(error)
            raise
        finally:
            if len(body) > _LARGE:
                trim_memory()

    return answer(await turns.batches.run(caller.user_id, post))


@post("/v1/corrections", opt={OPERATION: Operation.POST_CORRECTION})
async def post_correction(
    body: bytes,
    caller: NamedDependency[Principal],
    corrections: NamedDependency[CorrectionPosting],
    ledger: NamedDependency[LedgerReading],
    turns: NamedDependency[ServerTurns],
) -> Response[bytes]:
    """Post a correction, and give its posting; one of an id that is posted already is answered alike."""

    def post_form() -> Response[bytes]:
        form = read_body(body, NewCorrectionForm)
        number = corrections.post(caller, form.reason, correction_lines(form), None if form.id is None else str(form.id))
        posting, _ = ledger.posting(caller, number, 0, 0)
        return answer(posting_fields(posting), status=201)

    return await turns.batches.run(caller.user_id, post_form)


POSTING_ROUTES: list[ControllerRouterHandler] = [post_batch, post_correction]
