"""Routes of revisions."""

import re
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import RevisionNotFoundError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import declare, parameter_in_path
from venturi.interfaces.api.v1.forms.points import point_fields
from venturi.interfaces.api.v1.forms.reading import cut_page, listing_parameters, read_listing
from venturi.interfaces.api.v1.forms.revisions import (
    RevisionList,
    RevisionWithChanges,
    StateForm,
    change_form,
    label_state,
    revision_fields,
)
from venturi.interfaces.api.v1.wire import ApiRequest, answer, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.control.revisions import RevisionControl

_NUMBER = re.compile("[0-9]{1,18}")
_TAGS = ["revisions"]
_REVISION = parameter_in_path("number", "The number of the revision.", Annotated[int, Meta(ge=0, lt=10**18)])


@get(
    "/v1/revisions",
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_REVISIONS},
    tags=_TAGS,
    operation_class=declare(RevisionList, *listing_parameters(), refusals=(404,)),
)
def list_revisions(
    request: ApiRequest, caller: NamedDependency[Principal], revisions: NamedDependency[RevisionControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List revisions.

    Every change of labels, rules and points made one; numbers follow the order of commits.
    """
    listing = read_listing(query_of(request), limits.page_resources)
    page, following = cut_page(revisions.list_revisions(caller, listing), listing, lambda revision: str(revision.number))
    return answer({"revisions": [revision_fields(revision) for revision in page], "next": following})


@get(
    "/v1/revisions/{number:str}",
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_REVISION},
    tags=_TAGS,
    operation_class=declare(RevisionWithChanges, _REVISION, refusals=(404,)),
)
def show_revision(
    number: FromPath[str], caller: NamedDependency[Principal], revisions: NamedDependency[RevisionControl]
) -> Response[bytes]:
    """Show what a revision changed.

    Names the author, the time, and each resource that was created, changed or deleted.
    """
    revision, changes = revisions.find(caller, _number(number))
    return answer({**revision_fields(revision), "changes": [change_form(change) for change in changes]})


@get(
    "/v1/revisions/{number:str}/state",
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_REVISION},
    tags=_TAGS,
    operation_class=declare(StateForm, _REVISION, refusals=(404,)),
)
def show_state(number: FromPath[str], caller: NamedDependency[Principal], revisions: NamedDependency[RevisionControl]) -> Response[bytes]:
    """Read a revision back.

    All labels with their rules, and all points, as they stood then.
    """
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
