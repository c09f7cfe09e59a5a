"""Verifies tokens of OpenStack Identity with keystonemiddleware, the optional extra ``venturi[keystone]``.

Owns the translation between that WSGI middleware and callers. What roles may do is the policy's affair.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from wsgiref.util import setup_testing_defaults

from keystonemiddleware.auth_token import AuthProtocol

from venturi.adapters.edges import KEYSTONE_EDGE
from venturi.adapters.keystone.configuration import KeystoneConfig
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import ServerError, UnauthenticatedError

_REMEMBERED = 1_024
_OWN_SETTINGS = frozenset({"token_cache_time"})


@dataclass(frozen=True)
class _Verified:
    principal: Principal
    until: float


@KEYSTONE_EDGE.adapter
class KeystoneVerifier:
    """Gives the callers that tokens stand for; may be called from many threads.

    A token is verified again after ``token_cache_time`` seconds at the latest, and never used past its expiry.
    """

    def __init__(self, config: KeystoneConfig, clock: Callable[[], float] = time.time) -> None:
        """Prepare the middleware; Keystone is not asked before the first token."""
        settings = {name: setting for name, setting in asdict(config).items() if setting is not None and name not in _OWN_SETTINGS}
        # The middleware's own memory would keep a revoked token alive longer than ``token_cache_time`` says.
        self._middleware = AuthProtocol(_confirm, {"auth_type": "password", "token_cache_time": -1, **settings})
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
        principal = _read_principal(identity)
        self._remember(digest, _Verified(principal, min(now + self._cache_seconds, _read_expiry(identity))))
        return principal

    def _ask(self, secret: str) -> Mapping[str, Any]:
        """Have the middleware verify a token; give the environment that it hands on."""
        environ: dict[str, Any] = {"HTTP_X_AUTH_TOKEN": secret}
        setup_testing_defaults(environ)
        statuses: list[int] = []

        def start_response(status: str, _headers: list[tuple[str, str]], _failure: object = None) -> Callable[[bytes], object]:
            statuses.append(int(status.split(" ", 1)[0]))
            return len

        for _ in self._middleware(environ, start_response):
            pass
        if statuses[-1] == HTTPStatus.UNAUTHORIZED:
            message = "Keystone does not know this token"
            raise UnauthenticatedError(message)
        if statuses[-1] != HTTPStatus.OK:
            message = f"Keystone cannot verify tokens at present: it answers {statuses[-1]}"
            raise ServerError(message)
        return environ

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        """Keep a verified token for a while, and no more than a bounded number of them."""
        if verified.until <= self._clock():
            return
        with self._lock:
            while len(self._verified) >= _REMEMBERED:
                del self._verified[next(iter(self._verified))]
            self._verified[digest] = verified


def _confirm(_environ: Mapping[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Stand behind the middleware: whoever gets here was verified, and the headers in the environment say who it is."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b""]


def _read_principal(environ: Mapping[str, Any]) -> Principal:
    project_id = environ.get("HTTP_X_PROJECT_ID")
    if not project_id:
        message = "the token is not scoped to a project"
        raise UnauthenticatedError(message)
    named = {name.strip().lower() for name in environ.get("HTTP_X_ROLES", "").split(",")}
    roles = frozenset().union(*(IMPLIED_ROLES[role] for role in Role if role.value in named and role is not Role.AGENT))
    return Principal(user_id=environ.get("HTTP_X_USER_ID", ""), project_id=project_id, roles=roles)


def _read_expiry(environ: Mapping[str, Any]) -> float:
    """Give the time at which a token expires, in seconds since the epoch; 0 if that is not told."""
    expires = environ.get("keystone.token_info", {}).get("token", {}).get("expires_at")
    return datetime.fromisoformat(expires).timestamp() if expires else 0.0
