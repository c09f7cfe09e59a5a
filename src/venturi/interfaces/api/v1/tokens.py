"""Routes of tokens, and the one that tells callers who the server takes them for."""

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal, Role
from venturi.core.domain.control.token import TokenEvent
from venturi.core.domain.errors import TokenNotFoundError
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.interfaces.api.openapi.declaring import Answer, declare, parameter_in_path
from venturi.interfaces.api.v1.forms.reading import cut_page, listing_parameters, read_listing
from venturi.interfaces.api.v1.forms.texts import FitText
from venturi.interfaces.api.v1.forms.tokens import (
    CallerForm,
    MadeTokenForm,
    NewTokenForm,
    RotationForm,
    TokenChangeList,
    TokenForm,
    TokenList,
    caller_form,
    new_token,
    token_change_form,
    token_fields,
)
from venturi.interfaces.api.v1.wire import ApiRequest, JsonBody, answer, identifier, query_of
from venturi.services.control.policy import OPERATION, Operation, require
from venturi.services.control.tokens import TokenControl

FILTERS = {"id": FitText, "name": FitText, "project_id": FitText, "role": Role}
CHANGE_FILTERS = {"token_id": FitText, "change": TokenEvent, "author": FitText}
_COLLECTION = "/v1/tokens"
_TOKEN = "/v1/tokens/{token_id:str}"  # noqa: S105 - a path
_NOUN = "Token"
_TAGS = ["tokens"]
_NEW_TOKEN = JsonBody(form=NewTokenForm, example={"role": "reader", "name": "dashboard", "project_id": "7"})
_ROTATION = JsonBody(form=RotationForm, example={"overlap_seconds": 86_400})
_TOKEN_ID = parameter_in_path("token_id", "The id of the token.")


@get(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_TOKENS},
    tags=_TAGS,
    operation_class=declare(TokenList, *listing_parameters(FILTERS), refusals=(404,)),
)
def list_tokens(
    request: ApiRequest, caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List tokens.

    Lists all tokens, expired and revoked ones too, without their secrets.
    """
    listing = read_listing(query_of(request), limits.page_resources, FILTERS)
    page, following = cut_page(tokens.list(caller, listing), listing, lambda token: token.id)
    return answer({"tokens": [token_fields(token) for token in page], "next": following})


@post(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.CREATE_TOKEN},
    tags=_TAGS,
    operation_class=declare(MadeTokenForm, request=_NEW_TOKEN),
)
def create_token(body: RawBody, caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl]) -> Response[bytes]:
    """Make a token.

    The secret is in this answer and nowhere else; no cache may keep it. An agent's token needs ``agent_id`` and ``host``.
    """
    token, secret = tokens.create(caller, new_token(_NEW_TOKEN.read(body)))
    return answer({**token_fields(token), "secret": secret}, status=201, headers={"Cache-Control": "no-store"})


@get(
    _TOKEN,
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_TOKEN},
    tags=_TAGS,
    operation_class=declare(TokenForm, _TOKEN_ID, refusals=(404,)),
)
def show_token(token_id: FromPath[str], caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl]) -> Response[bytes]:
    """Show a token.

    Tells all that is known of it, when it was last used too.
    """
    return answer(token_fields(tokens.find(caller, identifier(token_id, TokenNotFoundError, _NOUN))))


@delete(
    _TOKEN,
    sync_to_thread=True,
    opt={OPERATION: Operation.REVOKE_TOKEN},
    tags=_TAGS,
    operation_class=declare(Answer(meaning="The token is revoked."), _TOKEN_ID, refusals=(404,)),
)
def revoke_token(token_id: FromPath[str], caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl]) -> None:
    """Revoke a token.

    It opens nothing any more, at once and for good; it stays in the list.
    """
    tokens.revoke(caller, identifier(token_id, TokenNotFoundError, _NOUN))


@post(
    f"{_TOKEN}/rotations",
    sync_to_thread=True,
    opt={OPERATION: Operation.ROTATE_TOKEN},
    tags=_TAGS,
    operation_class=declare(MadeTokenForm, _TOKEN_ID, request=_ROTATION, refusals=(404,)),
)
def rotate_token(
    token_id: FromPath[str], body: RawBody, caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl]
) -> Response[bytes]:
    """Rotate a token.

    Makes a token like it, whose secret is in this answer and nowhere else. The token itself ends after the overlap.
    """
    overlap = _ROTATION.read(body or b"{}").overlap_seconds * SECOND
    token, secret = tokens.rotate(caller, identifier(token_id, TokenNotFoundError, _NOUN), Nanoseconds(overlap))
    return answer({**token_fields(token), "secret": secret}, status=201, headers={"Cache-Control": "no-store"})


@get(
    "/v1/token-changes",
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_TOKEN_CHANGES},
    tags=_TAGS,
    operation_class=declare(TokenChangeList, *listing_parameters(CHANGE_FILTERS), refusals=(404,)),
)
def list_token_changes(
    request: ApiRequest, caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List what was done to tokens.

    Who created or revoked which token, and when, in the order of commits; also by commands on the server itself, whose author is
    ``local``. The latest 10,000 changes are kept.
    """
    listing = read_listing(query_of(request), limits.page_resources, CHANGE_FILTERS)
    page, following = cut_page(tokens.changes(caller, listing), listing, lambda change: str(change.number))
    return answer({"token_changes": [token_change_form(change) for change in page], "next": following})


@get("/v1/caller", sync_to_thread=False, opt={OPERATION: Operation.SHOW_CALLER}, tags=["caller"], operation_class=declare(CallerForm))
def show_caller(caller: NamedDependency[Principal]) -> Response[bytes]:
    """Tell who the caller is.

    Name, project and roles for which the server takes whoever asks.
    """
    require(caller, Operation.SHOW_CALLER)
    return answer(caller_form(caller))


TOKEN_ROUTES: list[ControllerRouterHandler] = [
    show_caller,
    list_tokens,
    create_token,
    show_token,
    revoke_token,
    rotate_token,
    list_token_changes,
]
