"""Tokens in the store, with the digests of their secrets; they are no part of a revision.

Owns no secret and no digesting of any.
"""

from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from venturi.adapters.store.schema.tables import TOKENS
from venturi.adapters.store.tables.paging import Collection, read_page, storable
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Role
from venturi.core.domain.control.token import Token
from venturi.core.domain.errors import ConflictError, TokenNotFoundError
from venturi.core.domain.interval import Nanoseconds

TOKEN_COLUMNS = [column for column in TOKENS.c if column.name != "secret_digest"]
"""What is known of a token, but for its secret."""

_EVERY = {each.name: func.coalesce(each, "" if each.type.python_type is str else -1) if each.nullable else each for each in TOKEN_COLUMNS}
_COLLECTION = Collection("token", TOKEN_COLUMNS, _EVERY)
_FIND = select(*TOKEN_COLUMNS).where(TOKENS.c.id == bindparam("identifier"))
Tokens = list[Token]  # the method ``list`` hides the built-in type
_DIGEST = select(TOKENS.c.secret_digest).where(TOKENS.c.id == bindparam("identifier"))


class TokenTable:
    """The tokens that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, token_id: str) -> Token | None:
        """Give a token, or None."""
        if not storable(token_id):
            return None
        row = self._connection.execute(_FIND, {"identifier": token_id}).first()
        return None if row is None else read_token(row)

    def list(self, listing: Listing, project_id: str | None = None) -> Tokens:
        """List tokens, with ``project_id`` only those of the project; raises ``NotFoundError`` for an unknown marker."""
        restriction = None if project_id is None else TOKENS.c.project_id == project_id
        return [read_token(row) for row in read_page(self._transaction, _COLLECTION, listing, restriction)]

    def secret_digest(self, token_id: str) -> bytes | None:
        """Give the digest of a token's secret, or None if there is no such token."""
        if not storable(token_id):
            return None
        digest = self._connection.execute(_DIGEST, {"identifier": token_id}).scalar()
        return None if digest is None else bytes.fromhex(digest)

    def insert(self, token: Token, secret_digest: bytes) -> None:
        """Add a token; raises ``ConflictError`` if there is one of its id."""
        self._transaction.require_writing()
        columns = {column.name: getattr(token, column.name) for column in TOKEN_COLUMNS}
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(TOKENS), [columns | {"role": token.role.value, "secret_digest": secret_digest.hex()}])
        except IntegrityError as error:
            message = "there is a token of this id already"
            raise ConflictError(message) from error

    def revoke(self, token_id: str, at: Nanoseconds) -> None:
        """Make a token open nothing from a time on; raises ``TokenNotFoundError``. A revoked one keeps its time."""
        token = self.find(token_id)
        if token is None:
            message = f"there is no token '{token_id}'"
            raise TokenNotFoundError(message)
        if token.revoked_at is None:
            self._set(token_id, revoked_at=at)

    def expire(self, token_id: str, at: Nanoseconds) -> None:
        """Make a token end at a time."""
        self._set(token_id, expires_at=at)

    def touch(self, token_id: str, at: Nanoseconds) -> None:
        """Note the last use of a token, if there is such a token."""
        self._set(token_id, last_used_at=at)

    def _set(self, token_id: str, **columns: int) -> None:
        self._transaction.require_writing()
        self._connection.execute(update(TOKENS).where(TOKENS.c.id == token_id).values(**columns))


def read_token(row: Any) -> Token:  # noqa: ANN401 - a row of ``TOKEN_COLUMNS``
    """Read a row of ``TOKEN_COLUMNS``."""
    return Token(**(row._asdict() | {"role": Role(row.role)}))
