"""Routes by which the ledger is read back: spools and postings."""

import re

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import EntryNotFoundError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.v1.forms.ledger import entry_form, posting_fields, spool_form
from venturi.interfaces.api.v1.forms.reading import cut_page, read_listing, read_whole_number
from venturi.interfaces.api.v1.wire import ApiRequest, answer, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.ledger.reading import LedgerReading

POSTING_FILTERS = ("kind", "agent_id", "spool_id")
_SPOOL = re.compile("[0-9a-f]{32}")
_NUMBER = re.compile("[0-9]{1,18}")
_HIGHEST_ORDINAL = (1 << 31) - 1


@get("/v1/spools", sync_to_thread=True, opt={OPERATION: Operation.LIST_SPOOLS})
def list_spools(
    request: ApiRequest, caller: NamedDependency[Principal], ledger: NamedDependency[LedgerReading], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List spools with what is outstanding of each."""
    listing = read_listing(query_of(request), limits.page_resources)
    found = ledger.spools(caller, listing.limit or 0, listing.marker or "")
    page, following = cut_page(found, listing, lambda state: state.spool.spool_id)
    return answer({"spools": [spool_form(state) for state in page], "next": following})


@get("/v1/spools/{spool_id:str}", sync_to_thread=True, opt={OPERATION: Operation.SHOW_SPOOL})
def show_spool(spool_id: FromPath[str], caller: NamedDependency[Principal], ledger: NamedDependency[LedgerReading]) -> Response[bytes]:
    """Give what is posted of a spool."""
    if not _SPOOL.fullmatch(spool_id):
        message = f"Spool '{printable(spool_id)}' does not exist."
        raise EntryNotFoundError(message)
    return answer(spool_form(ledger.spool(caller, spool_id)))


@get("/v1/postings", sync_to_thread=True, opt={OPERATION: Operation.LIST_POSTINGS})
def list_postings(
    request: ApiRequest, caller: NamedDependency[Principal], ledger: NamedDependency[LedgerReading], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List postings."""
    listing = read_listing(query_of(request), limits.page_resources, POSTING_FILTERS)
    page, following = cut_page(ledger.postings(caller, listing), listing, lambda posting: str(posting.posting))
    return answer({"postings": [posting_fields(posting) for posting in page], "next": following})


@get("/v1/postings/{number:str}", sync_to_thread=True, opt={OPERATION: Operation.SHOW_POSTING})
def show_posting(
    request: ApiRequest,
    number: FromPath[str],
    caller: NamedDependency[Principal],
    ledger: NamedDependency[LedgerReading],
    limits: NamedDependency[Limits],
) -> Response[bytes]:
    """Give a posting and a page of its entries."""
    listing = read_listing(query_of(request), limits.page_resources)
    after = -1 if listing.marker is None else read_whole_number("marker", listing.marker, 0, _HIGHEST_ORDINAL)
    if not _NUMBER.fullmatch(number):
        message = f"Posting '{printable(number)}' does not exist."
        raise EntryNotFoundError(message)
    posting, entries = ledger.posting(caller, int(number), after, listing.limit or 0)
    page, following = cut_page(entries, listing, lambda entry: str(entry[1].ordinal))
    return answer({**posting_fields(posting), "page": [entry_form(*entry) for entry in page], "next": following})


LEDGER_READING_ROUTES: list[ControllerRouterHandler] = [list_spools, show_spool, list_postings, show_posting]
