"""Tokens: making, listing and revoking them, and telling who carries one.

Owns the text form of a secret and its digest. A secret is shown once, when it is made, and kept nowhere.
"""

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from structlog.typing import FilteringBoundLogger

from venturi.adapters.store.store import Store, StoreWriter
from venturi.adapters.store.tables.token_changes import LOCAL
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal, Role
from venturi.core.domain.control.token import Token, TokenChange, TokenEvent
from venturi.core.domain.errors import InvalidTokenRequestError, TokenNotFoundError, UnauthenticatedError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.text import is_fit
from venturi.services.control.last_use import LastUse
from venturi.services.control.policy import Operation, require

NAME_LENGTH = 255
_SECRET_OCTETS = 32
_SECRET_BEGIN = "venturi_"  # noqa: S105 - how secrets begin
_SECRET_FORM = re.compile(r"venturi_([0-9a-f]{32})_[0-9a-f]{64}")
_NOBODYS_DIGEST = bytes(32)


Changes = list[TokenChange]  # the method ``list`` hides the built-in type


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """The token that a caller asks for; an agent's is bound to its id and host. ``project_id`` None is the caller's own."""

    role: Role
    project_id: str | None = None
    name: str = ""
    expires_at: Nanoseconds | None = None
    agent_id: str | None = None
    host: str | None = None


class TokenControl:
    """What callers do with tokens, and who carries one."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds], last_use: LastUse, log: FilteringBoundLogger | None = None) -> None:
        """Keep tokens in ``store``; ``clock`` gives the time in nanoseconds since the UTC epoch. ``log`` gets a line of each change."""
        self._log = log
        self._store = store
        self._clock = clock
        self._last_use = last_use

    def create(self, caller: Principal | None, asked: NewToken) -> tuple[Token, str]:
        """Make a token; give it and its secret. Without a caller it is made on the server itself, where the policy has no say.

        Raises ``ForbiddenError`` and ``InvalidTokenRequestError``.
        """
        now = self._clock()
        token = Token(
            id=str(uuid.uuid4()),
            name=asked.name,
            project_id=_choose_project(caller, asked),
            role=asked.role,
            created_at=now,
            expires_at=asked.expires_at,
            agent_id=asked.agent_id,
            host=asked.host,
        )
        _check(token, now)
        if caller is not None:
            require(caller, Operation.CREATE_TOKEN, token.project_id)
        secret = _make_secret(token)
        with self._store.writing(caller or LOCAL) as writer:
            writer.tokens.insert(token, _digest(secret))
            log = self.audit(writer, TokenEvent.CREATED, token, caller)
        log()
        return token, secret

    def list(self, caller: Principal, listing: Listing) -> list[Token]:
        """Give tokens, expired and revoked ones too; raises ``ForbiddenError``."""
        require(caller, Operation.LIST_TOKENS, caller.project_id)
        with self._store.reading() as reader:
            return reader.tokens.list(listing)

    def find(self, caller: Principal, token_id: str) -> Token:
        """Give a token; raises ``ForbiddenError`` and ``TokenNotFoundError``."""
        require(caller, Operation.SHOW_TOKEN, caller.project_id)
        with self._store.reading() as reader:
            return _require_token(reader.tokens.find(token_id), token_id)

    def revoke(self, caller: Principal, token_id: str) -> None:
        """Let a token open nothing any more, from now on and for good; raises ``ForbiddenError`` and ``TokenNotFoundError``."""
        require(caller, Operation.REVOKE_TOKEN, caller.project_id)
        with self._store.writing(caller) as writer:
            token = _require_token(writer.tokens.find(token_id), token_id)
            if token.revoked_at is not None:
                return
            writer.tokens.revoke(token.id, self._clock())
            log = self.audit(writer, TokenEvent.REVOKED, token, caller)
        log()

    def rotate(self, caller: Principal, token_id: str, overlap: Nanoseconds) -> tuple[Token, str]:
        """Make a token like another, which goes on opening for ``overlap`` (nanoseconds), or less if it ends before.

        Gives the new one and its secret. It holds as long as the other was made to.

        Raises ``ForbiddenError``, ``TokenNotFoundError`` and, for a token that opens
        nothing any more, ``InvalidTokenRequestError``.
        """
        require(caller, Operation.ROTATE_TOKEN, caller.project_id)
        now = self._clock()
        with self._store.writing(caller) as writer:
            before = _require_token(writer.tokens.find(token_id), token_id)
            if not before.valid_at(now):
                message = f"token {token_id} opens nothing any more: make a new one"
                raise InvalidTokenRequestError(message)
            expires_at = None if before.expires_at is None else Nanoseconds(now + before.expires_at - before.created_at)
            token = replace(before, id=str(uuid.uuid4()), created_at=now, expires_at=expires_at, last_used_at=None)
            secret = _make_secret(token)
            writer.tokens.insert(token, _digest(secret))
            end = now + overlap
            writer.tokens.expire(before.id, Nanoseconds(end if before.expires_at is None else min(end, before.expires_at)))
            logs = self.audit(writer, TokenEvent.ROTATED, before, caller), self.audit(writer, TokenEvent.CREATED, token, caller)
        for log in logs:
            log()
        return token, secret

    def changes(self, caller: Principal, listing: Listing) -> Changes:
        """Give what was done to tokens, by number; raises ``ForbiddenError``."""
        require(caller, Operation.LIST_TOKEN_CHANGES, caller.project_id)
        with self._store.reading() as reader:
            return reader.token_changes.list(listing)

    def audit(self, writer: StoreWriter, event: TokenEvent, token: Token, author: Principal | None) -> Callable[[], None]:
        """Note what ``author`` did to a token, in the transaction that does it; give what logs it, to be called once that is committed.

        Without an author it was done on the server itself.
        """
        by = author or LOCAL
        writer.token_changes.note(event, [token], by, self._clock())
        about = {"token_id": token.id, "name": token.name, "role": token.role.value, "project": token.project_id}
        bound = {"agent_id": token.agent_id, "host": token.host} if token.agent_id else {}
        said = {**about, **bound, "by": by.user_id, "by_project": by.project_id, "by_token_id": by.token_id}
        return lambda: None if self._log is None else self._log.info(f"token {event}", **said)

    def authenticate(self, secret: str) -> Principal:
        """Give the caller that a secret stands for; raise ``UnauthenticatedError`` for any that does not hold.

        The comparison takes equally long whether or not there is such a token.
        """
        form = _SECRET_FORM.fullmatch(secret)
        token_id = str(uuid.UUID(form[1])) if form else str(uuid.UUID(int=0))
        with self._store.reading() as reader:
            token, kept = reader.tokens.find(token_id), reader.tokens.secret_digest(token_id)
        matches = hmac.compare_digest(kept or _NOBODYS_DIGEST, _digest(secret))
        now = self._clock()
        if token is None or not matches:
            message = "there is no such token"
            raise UnauthenticatedError(message, token_id if form else None)
        if not token.valid_at(now):
            message = "this token was revoked" if token.revoked_at is not None else "this token has expired"
            raise UnauthenticatedError(message, token_id)
        self._last_use.note(token, now)
        return token.principal


def is_own(secret: str) -> bool:
    """Tell whether a secret has the form of venturi's own tokens; those of Keystone never do."""
    return secret.startswith(_SECRET_BEGIN)


def _make_secret(token: Token) -> str:
    return f"venturi_{uuid.UUID(token.id).hex}_{secrets.token_hex(_SECRET_OCTETS)}"


def _digest(secret: str) -> bytes:
    """Digest a secret; it is random and long, so that no slow digest is needed."""
    return hashlib.sha256(secret.encode()).digest()


def _choose_project(caller: Principal | None, asked: NewToken) -> str:
    project_id = asked.project_id if asked.project_id is not None or caller is None else caller.project_id
    if not project_id:
        message = "a token is for a project; name one"
        raise InvalidTokenRequestError(message)
    return project_id


def _check(token: Token, now: Nanoseconds) -> None:
    if token.expires_at is not None and token.expires_at <= now:
        message = "a token that has expired already opens nothing"
        raise InvalidTokenRequestError(message)
    for meaning, text in (("name", token.name), ("project", token.project_id), ("agent id", token.agent_id), ("host", token.host)):
        if text is not None and (len(text) > NAME_LENGTH or not is_fit(text) or text != text.strip()):
            message = f"the {meaning} of a token has at most {NAME_LENGTH} printable characters and no blanks around them"
            raise InvalidTokenRequestError(message)


def _require_token(token: Token | None, token_id: str) -> Token:
    if token is None:
        message = f"there is no token {token_id}"
        raise TokenNotFoundError(message)
    return token
