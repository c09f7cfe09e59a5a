"""Routes by which the ledger is read back: spools and postings."""

import re
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import EntryNotFoundError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import declare, parameter_in_path
from venturi.interfaces.api.v1.forms.ledger import (
    PostingList,
    PostingWithEntries,
    SpoolForm,
    SpoolList,
    entry_form,
    posting_fields,
    spool_form,
)
from venturi.interfaces.api.v1.forms.reading import cut_page, listing_parameters, read_listing, read_whole_number
from venturi.interfaces.api.v1.forms.texts import FitText
from venturi.interfaces.api.v1.wire import ApiRequest, answer, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.ledger.reading import LedgerReading

POSTING_FILTERS = {"kind": FitText, "agent_id": FitText, "spool_id": FitText}
_SPOOL = re.compile("[0-9a-f]{32}")
_NUMBER = re.compile("[0-9]{1,18}")
_HIGHEST_ORDINAL = (1 << 31) - 1
_TAGS = ["ledger"]
_POSTING = parameter_in_path("number", "The number of the posting.", Annotated[int, Meta(ge=0, lt=10**18)])
_ENTRIES = listing_parameters(marker=Annotated[int, Meta(ge=0, le=_HIGHEST_ORDINAL)])


@get(
    "/v1/spools",
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_SPOOLS},
    tags=_TAGS,
    operation_class=declare(SpoolList, *listing_parameters()),
)
def list_spools(
    request: ApiRequest, caller: NamedDependency[Principal], ledger: NamedDependency[LedgerReading], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List spools.

    Lists the spools that batches came from, each with the sequences that are outstanding.
    """
    listing = read_listing(query_of(request), limits.page_resources)
    found = ledger.spools(caller, listing.limit or 0, listing.marker or "")
    page, following = cut_page(found, listing, lambda state: state.spool.spool_id)
    return answer({"spools": [spool_form(state) for state in page], "next": following})


@get(
    "/v1/spools/{spool_id:str}",
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_SPOOL},
    tags=_TAGS,
    operation_class=declare(SpoolForm, parameter_in_path("spool_id", "The id of the spool."), refusals=(404,)),
)
def show_spool(spool_id: FromPath[str], caller: NamedDependency[Principal], ledger: NamedDependency[LedgerReading]) -> Response[bytes]:
    """Show what is posted of a spool.

    What an agent asks before it delivers. Of a spool that nothing is posted of, the highest sequence is 0.
    """
    if not _SPOOL.fullmatch(spool_id):
        message = f"Spool '{printable(spool_id)}' does not exist."
        raise EntryNotFoundError(message)
    return answer(spool_form(ledger.spool(caller, spool_id)))


@get(
    "/v1/postings",
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_POSTINGS},
    tags=_TAGS,
    operation_class=declare(PostingList, *listing_parameters(POSTING_FILTERS), refusals=(404,)),
)
def list_postings(
    request: ApiRequest, caller: NamedDependency[Principal], ledger: NamedDependency[LedgerReading], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List postings.

    Lists batches, corrections and decisions about what is held, in the order of their commits.
    """
    listing = read_listing(query_of(request), limits.page_resources, POSTING_FILTERS)
    page, following = cut_page(ledger.postings(caller, listing), listing, lambda posting: str(posting.posting))
    return answer({"postings": [posting_fields(posting) for posting in page], "next": following})


@get(
    "/v1/postings/{number:str}",
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_POSTING},
    tags=_TAGS,
    operation_class=declare(PostingWithEntries, _POSTING, *_ENTRIES, refusals=(404,)),
)
def show_posting(
    request: ApiRequest,
    number: FromPath[str],
    caller: NamedDependency[Principal],
    ledger: NamedDependency[LedgerReading],
    limits: NamedDependency[Limits],
) -> Response[bytes]:
    """Show a posting and its entries.

    Every record with point, place, interval, classifier and revision, and with labels and points as they were then.
    """
    listing = read_listing(query_of(request), limits.page_resources)
    after = -1 if listing.marker is None else read_whole_number("marker", listing.marker, 0, _HIGHEST_ORDINAL)
    if not _NUMBER.fullmatch(number):
        message = f"Posting '{printable(number)}' does not exist."
        raise EntryNotFoundError(message)
    posting, entries = ledger.posting(caller, int(number), after, listing.limit or 0)
    page, following = cut_page(entries, listing, lambda entry: str(entry[1].ordinal))
    return answer({**posting_fields(posting), "page": [entry_form(*entry) for entry in page], "next": following})


LEDGER_READING_ROUTES: list[ControllerRouterHandler] = [list_spools, show_spool, list_postings, show_posting]
