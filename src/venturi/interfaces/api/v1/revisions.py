"""Routes of revisions."""

import re

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import RevisionNotFoundError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.v1.forms.points import point_fields
from venturi.interfaces.api.v1.forms.reading import cut_page, read_listing
from venturi.interfaces.api.v1.forms.revisions import change_form, label_state, revision_fields
from venturi.interfaces.api.v1.wire import ApiRequest, answer, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.control.revisions import RevisionControl

_NUMBER = re.compile("[0-9]{1,18}")


@get("/v1/revisions", sync_to_thread=True, opt={OPERATION: Operation.LIST_REVISIONS})
def list_revisions(
    request: ApiRequest, caller: NamedDependency[Principal], revisions: NamedDependency[RevisionControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List revisions."""
    listing = read_listing(query_of(request), limits.page_resources)
    page, following = cut_page(revisions.list_revisions(caller, listing), listing, lambda revision: str(revision.number))
    return answer({"revisions": [revision_fields(revision) for revision in page], "next": following})


@get("/v1/revisions/{number:str}", sync_to_thread=True, opt={OPERATION: Operation.SHOW_REVISION})
def show_revision(
    number: FromPath[str], caller: NamedDependency[Principal], revisions: NamedDependency[RevisionControl]
) -> Response[bytes]:
    """Give a revision and what it changed."""
    revision, changes = revisions.find(caller, _number(number))
    return answer({**revision_fields(revision), "changes": [change_form(change) for change in changes]})


@get("/v1/revisions/{number:str}/state", sync_to_thread=True, opt={OPERATION: Operation.SHOW_REVISION})
def show_state(number: FromPath[str], caller: NamedDependency[Principal], revisions: NamedDependency[RevisionControl]) -> Response[bytes]:
    """Give all that stood at a revision."""
    state = revisions.state(caller, _number(number))
    return answer(
        {
            "revision": revision_fields(state.revision),
            "labels": [label_state(label, rules) for label, rules in state.labels],
            "observation_points": [point_fields(point) for point in state.points],
        }
    )


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        message = f"Revision '{printable(text)}' does not exist."
        raise RevisionNotFoundError(message)
    return int(text)


REVISION_ROUTES: list[ControllerRouterHandler] = [list_revisions, show_revision, show_state]
