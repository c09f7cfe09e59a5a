"""Verifies tokens of OpenStack Identity with keystonemiddleware, the optional extra ``venturi[keystone]``.

Owns the translation between that WSGI middleware and callers, and the sentence for each way in which a token cannot be verified. What
roles may do is the policy's affair.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from wsgiref.util import setup_testing_defaults

from keystoneauth1.exceptions import EndpointNotFound, HttpError, Unauthorized
from keystonemiddleware.auth_token import AuthProtocol
from webob.exc import HTTPServiceUnavailable

from venturi.adapters.edges import KEYSTONE_EDGE
from venturi.adapters.keystone.configuration import KeystoneConfig
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import ServerError, UnauthenticatedError

_REMEMBERED = 1_024
_OWN_SETTINGS = frozenset({"token_cache_time"})
_CACHE = "venturi.cache"
_REFUSED = "Keystone does not know this token, or it has expired or was revoked"
_REVOKED = "this token was revoked before it expired, or its user or project was disabled"
_UNSCOPED = "the token is not scoped to a project: ask Keystone for one of a project"


@dataclass(frozen=True)
class _Verified:
    """A caller who was verified: not verified again before ``until``, and the token is good no longer than ``expires``, both in seconds."""

    principal: Principal
    until: float
    expires: float


class _NoCache:
    """Keeps nothing, in the place of the middleware's own memory."""

    def get(self, _key: str) -> None:
        """Know nothing."""

    def set(self, _key: str, _content: object, **_: object) -> None:
        """Keep nothing."""


class _Middleware(AuthProtocol):  # type: ignore[misc] # keystonemiddleware is not typed
    """The middleware, which says why Keystone cannot be asked."""

    def __init__(self, config: KeystoneConfig) -> None:
        settings = {name: setting for name, setting in asdict(config).items() if setting is not None and name not in _OWN_SETTINGS}
        settings["www_authenticate_uri"] = config.www_authenticate_uri or config.auth_url
        # Its own memory would keep a revoked token alive longer than ``token_cache_time`` says. No service token is ever passed to it; that
        # setting only keeps it from warning of what nobody can use.
        fixed = {"auth_type": "password", "token_cache_time": -1, "cache": _CACHE, "service_token_roles_required": True}
        with _without_option_warnings():
            super().__init__(_confirm, {**settings, **fixed})
        self._settings = config

    def fetch_token(self, token: str, allow_expired: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - as the middleware has it
        """Give what Keystone says of a token; raise ``ServerError`` with the cause if it cannot be asked."""
        try:
            return super().fetch_token(token, allow_expired)
        except HTTPServiceUnavailable as unavailable:
            raise ServerError(self._explain(unavailable.__context__)) from unavailable
        except EndpointNotFound as error:
            where = f"interface '{self._settings.interface}'" + (
                f" and region '{self._settings.region_name}'" * bool(self._settings.region_name)
            )
            message = f"Keystone's catalog has no identity endpoint for {where}: see keystone.interface and keystone.region_name"
            raise ServerError(message) from error

    def _explain(self, failure: BaseException | None) -> str:
        """Say in a sentence why Keystone cannot verify tokens; ``failure`` is what the middleware caught, or what led to that."""
        cause = failure.__context__ if failure is not None and failure.__context__ is not None else failure
        account, where = self._settings.username, self._settings.auth_url
        if isinstance(cause, Unauthorized):
            return f"Keystone at {where} refuses the account '{account}': keystone.username, its domain or keystone.password is wrong"
        if isinstance(cause, HttpError):
            return (
                f"Keystone at {where} does not verify tokens for the account '{account}': it answers {cause.http_status}, {cause.message}"
            )
        return f"Keystone cannot be reached at {where}: {failure}"


@KEYSTONE_EDGE.adapter
class KeystoneVerifier:
    """Gives the callers that tokens stand for; may be called from many threads.

    A token is verified again after ``token_cache_time`` seconds at the latest, and never used past its expiry.
    """

    def __init__(self, config: KeystoneConfig, clock: Callable[[], float] = time.time) -> None:
        """Prepare the middleware; Keystone is not asked before the first token."""
        self._middleware = _Middleware(config)
        self._cache_seconds = config.token_cache_time
        self._clock = clock
        self._lock = threading.Lock()
        self._verified: dict[bytes, _Verified] = {}

    def verify(self, secret: str) -> Principal:
        """Give the caller; raise ``UnauthenticatedError``, or ``ServerError`` while Keystone cannot be asked."""
        digest = hashlib.sha256(secret.encode()).digest()
        now = self._clock()
        with self._lock:
            known = self._verified.get(digest)
        if known is not None and now < known.until:
            return known.principal
        identity = self._ask(secret)
        if identity is None:
            raise UnauthenticatedError(_REVOKED if known is not None and now < known.expires else _REFUSED)
        principal, expires = _read_principal(identity), _read_expiry(identity)
        self._remember(digest, _Verified(principal, min(now + self._cache_seconds, expires), expires))
        return principal

    def _ask(self, secret: str) -> Mapping[str, Any] | None:
        """Have the middleware verify a token; give the environment that it hands on, None for a token that does not hold."""
        environ: dict[str, Any] = {"HTTP_X_AUTH_TOKEN": secret, _CACHE: _NoCache()}
        setup_testing_defaults(environ)
        statuses: list[int] = []

        def start_response(status: str, _headers: list[tuple[str, str]], _failure: object = None) -> Callable[[bytes], object]:
            statuses.append(int(status.split(" ", 1)[0]))
            return len

        for _ in self._middleware(environ, start_response):
            pass
        if statuses[-1] == HTTPStatus.UNAUTHORIZED:
            return None
        if statuses[-1] != HTTPStatus.OK:
            message = f"Keystone cannot verify tokens at present: it answers {statuses[-1]}"
            raise ServerError(message)
        return environ

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        """Keep a verified token until it expires, and no more than a bounded number of them."""
        if verified.expires <= self._clock():
            return
        with self._lock:
            self._verified.pop(digest, None)
            while len(self._verified) >= _REMEMBERED:
                del self._verified[next(iter(self._verified))]
            self._verified[digest] = verified


@contextmanager
def _without_option_warnings() -> Iterator[None]:
    """Keep the middleware from calling the options of its own sign-in plugin unknown: it looks at them before it loads the plugin."""

    def is_worse(record: logging.LogRecord) -> bool:
        return record.levelno > logging.WARNING

    options = logging.getLogger("keystonemiddleware._common.config")
    options.addFilter(is_worse)
    try:
        yield
    finally:
        options.removeFilter(is_worse)


def _confirm(_environ: Mapping[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Stand behind the middleware: whoever gets here was verified, and the headers in the environment say who it is."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b""]


def _read_principal(environ: Mapping[str, Any]) -> Principal:
    project_id = environ.get("HTTP_X_PROJECT_ID")
    if not project_id:
        raise UnauthenticatedError(_UNSCOPED)
    named = {name.strip().lower() for name in environ.get("HTTP_X_ROLES", "").split(",")}
    roles = frozenset().union(*(IMPLIED_ROLES[role] for role in Role if role.value in named and role is not Role.AGENT))
    audits = environ.get("keystone.token_info", {}).get("token", {}).get("audit_ids") or [None]
    return Principal(user_id=environ.get("HTTP_X_USER_ID", ""), project_id=project_id, roles=roles, token_id=audits[0])


def _read_expiry(environ: Mapping[str, Any]) -> float:
    """Give the time at which a token expires, in seconds since the epoch; 0 if that is not told."""
    expires = environ.get("keystone.token_info", {}).get("token", {}).get("expires_at")
    return datetime.fromisoformat(expires).timestamp() if expires else 0.0
