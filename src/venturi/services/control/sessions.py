"""Sessions: signing in at the dashboard by a token, and telling who is signed in.

Owns the keys of sessions, how long these last, and how often somebody may fail to sign in. A key is kept by the browser alone; the store
has its digest.
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable

from venturi.adapters.store.store import Store
from venturi.core.domain.control.principal import Principal, Role
from venturi.core.domain.control.session import Session
from venturi.core.domain.errors import ForbiddenError, TooManySignInsError, UnauthenticatedError
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import HOUR
from venturi.services.control.policy import READERS

OWN_SESSION = Nanoseconds(12 * HOUR)
"""How long a session by one of the server's own tokens lasts, which is looked up at each request."""

FOREIGN_SESSION = Nanoseconds(1 * HOUR)
"""How long a session by a token of Keystone lasts, whose end the server is not told."""

MOST_FAILURES = 10
"""How many failures to sign in a client may have within ``FAILURE_SPAN``."""

FAILURE_SPAN = Nanoseconds(60 * SECOND)

_MOST_CLIENTS = 10_000
_KEY_OCTETS = 32
_KEY_FORM = re.compile(r"[0-9a-f]{64}")
_PURPOSE = b"form"


class SessionControl:
    """Who is signed in. Its methods are for any thread."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds], verify: Callable[[str], Principal] | None) -> None:
        """Keep sessions in ``store``; ``verify`` gives the caller that a token stands for, None where nobody needs one."""
        self._store = store
        self._clock = clock
        self._verify = verify
        self._failures = _Failures()

    @property
    def is_needed(self) -> bool:
        """Whether anybody needs to sign in."""
        return self._verify is not None

    def open(self, secret: str, client: str) -> tuple[str, Session]:
        """Sign in by a token; give the key of the session, and the session.

        Raises ``UnauthenticatedError`` for no valid token, ``ForbiddenError`` for one whose role reads nothing, and
        ``TooManySignInsError`` where ``client``, an address, failed too often.
        """
        now = self._clock()
        self._failures.check(client, now)
        if self._verify is None:
            message = "this server asks nobody to sign in"
            raise ForbiddenError(message)
        try:
            principal = self._verify(secret)
        except UnauthenticatedError:
            self._failures.note(client, now)
            raise
        _require_reader(principal)
        length = FOREIGN_SESSION if principal.token_id is None else OWN_SESSION
        session = Session(principal=principal, created_at=now, expires_at=Nanoseconds(now + length))
        key = secrets.token_hex(_KEY_OCTETS)
        with self._store.writing(principal) as writer:
            writer.sessions.insert(_digest(key), session)
        return key, session

    def find(self, key: str) -> Principal:
        """Give who is signed in under a key; raises ``UnauthenticatedError`` if nobody is, or the token opens nothing any more."""
        if not _KEY_FORM.fullmatch(key):
            raise _ended()
        now = self._clock()
        with self._store.reading() as reader:
            session = reader.sessions.find(_digest(key))
            if session is None or session.expires_at <= now:
                raise _ended()
            token_id = session.principal.token_id
            if token_id is None:
                return session.principal
            token = reader.tokens.find(token_id)
        if token is None or not token.valid_at(now):
            message = "the token of this session opens nothing any more: sign in with another one"
            raise UnauthenticatedError(message, token_id)
        return token.principal

    def close(self, key: str, caller: Principal, *, everywhere: bool = False) -> None:
        """Sign out, at this browser or wherever the caller is signed in."""
        with self._store.writing(caller) as writer:
            if everywhere:
                writer.sessions.delete_of(caller)
            elif _KEY_FORM.fullmatch(key):
                writer.sessions.delete(_digest(key))


def form_token(key: str) -> str:
    """Give what a form of a session must carry, so that no page of another place can send one (CSRF)."""
    return hmac.digest(key.encode(), _PURPOSE, "sha256").hex()


def check_form_token(key: str, sent: str) -> None:
    """Raise ``ForbiddenError`` unless a form carries what its session must."""
    if not hmac.compare_digest(form_token(key).encode(), sent.encode()):
        message = "this form is of another session: load the page again"
        raise ForbiddenError(message)


class _Failures:
    """The failures of clients to sign in, within the last minute."""

    def __init__(self) -> None:
        self._times: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    def check(self, client: str, now: int) -> None:
        with self._lock:
            recent = [time for time in self._times.get(client, ()) if time > now - FAILURE_SPAN]
        if len(recent) >= MOST_FAILURES:
            message = f"{MOST_FAILURES} failures to sign in within a minute: wait for a minute"
            raise TooManySignInsError(message)

    def note(self, client: str, now: int) -> None:
        with self._lock:
            times = [time for time in self._times.pop(client, ()) if time > now - FAILURE_SPAN]
            self._times[client] = [*times, now]
            while len(self._times) > _MOST_CLIENTS:
                del self._times[next(iter(self._times))]


def _require_reader(principal: Principal) -> None:
    if not principal.roles & READERS:
        names = ", ".join(sorted(principal.roles or {Role.NONE}))
        message = f"a token of role {names} reads no usage: sign in with one of role reader, member, manager or admin"
        raise ForbiddenError(message)


def _ended() -> UnauthenticatedError:
    message = "you are not signed in, or your session has ended"
    return UnauthenticatedError(message)


def _digest(key: str) -> str:
    """Digest a key; it is random and long, so that no slow digest is needed."""
    return hashlib.sha256(key.encode()).hexdigest()
