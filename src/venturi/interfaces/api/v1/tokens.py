"""Routes of tokens."""

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import TokenNotFoundError
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.interfaces.api.v1.forms.reading import cut_page, read_body, read_listing
from venturi.interfaces.api.v1.forms.tokens import NewTokenForm, RotationForm, new_token, token_fields
from venturi.interfaces.api.v1.wire import ApiRequest, answer, identifier, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.control.tokens import TokenControl

FILTERS = ("id", "name", "project_id", "role")
_COLLECTION = "/v1/tokens"
_TOKEN = "/v1/tokens/{token_id:str}"  # noqa: S105 - a path
_NOUN = "Token"


@get(_COLLECTION, sync_to_thread=True, opt={OPERATION: Operation.LIST_TOKENS})
def list_tokens(
    request: ApiRequest, caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List tokens, without their secrets."""
    listing = read_listing(query_of(request), limits.page_resources, FILTERS)
    page, following = cut_page(tokens.list(caller, listing), listing, lambda token: token.id)
    return answer({"tokens": [token_fields(token) for token in page], "next": following})


@post(_COLLECTION, sync_to_thread=True, opt={OPERATION: Operation.CREATE_TOKEN})
def create_token(body: bytes, caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl]) -> Response[bytes]:
    """Make a token; no cache may keep the answer."""
    token, secret = tokens.create(caller, new_token(read_body(body, NewTokenForm)))
    return answer({**token_fields(token), "secret": secret}, status=201, headers={"Cache-Control": "no-store"})


@get(_TOKEN, sync_to_thread=True, opt={OPERATION: Operation.SHOW_TOKEN})
def show_token(token_id: FromPath[str], caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl]) -> Response[bytes]:
    """Give what is known of a token."""
    return answer(token_fields(tokens.find(caller, identifier(token_id, TokenNotFoundError, _NOUN))))


@delete(_TOKEN, sync_to_thread=True, opt={OPERATION: Operation.REVOKE_TOKEN})
def revoke_token(token_id: FromPath[str], caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl]) -> None:
    """Revoke a token, at once and for good."""
    tokens.revoke(caller, identifier(token_id, TokenNotFoundError, _NOUN))


@post(f"{_TOKEN}/rotations", sync_to_thread=True, opt={OPERATION: Operation.ROTATE_TOKEN})
def rotate_token(
    token_id: FromPath[str], body: bytes, caller: NamedDependency[Principal], tokens: NamedDependency[TokenControl]
) -> Response[bytes]:
    """Make a token like another, which ends after an overlap; no cache may keep the answer."""
    overlap = read_body(body or b"{}", RotationForm).overlap_seconds * SECOND
    token, secret = tokens.rotate(caller, identifier(token_id, TokenNotFoundError, _NOUN), Nanoseconds(overlap))
    return answer({**token_fields(token), "secret": secret}, status=201, headers={"Cache-Control": "no-store"})


TOKEN_ROUTES: list[ControllerRouterHandler] = [list_tokens, create_token, show_token, revoke_token, rotate_token]
