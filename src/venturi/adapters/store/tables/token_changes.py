"""What was done to tokens, as rows that are added and never changed; the oldest are let go.

Owns their numbers and how many are kept. They are no part of a revision.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from venturi.adapters.store.schema.tables import TOKEN_CHANGES
from venturi.adapters.store.tables.paging import Collection, read_page
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal, Role
from venturi.core.domain.control.token import Token, TokenChange, TokenEvent
from venturi.core.domain.interval import Nanoseconds

MOST_CHANGES = 10_000
"""How many changes are kept, the latest."""

LOCAL = Principal(user_id="local", project_id="")
"""Who does what commands on the server itself do."""

_COLUMNS = list(TOKEN_CHANGES.c)
_LISTED = Collection(
    "change of a token",
    _COLUMNS,
    {name: TOKEN_CHANGES.c[name] for name in ("token_id", "change", "author")} | {"id": TOKEN_CHANGES.c.number},
)
_AT_ONCE = 500
TokenChanges = list[TokenChange]  # the method ``list`` hides the built-in type


class TokenChangeTable:
    """The changes of tokens that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def list(self, listing: Listing) -> TokenChanges:
        """List changes by number, which is their ``id`` and marker; raises ``NotFoundError`` for an unknown marker."""
        return [_read(row) for row in read_page(self._transaction, _LISTED, listing)]

    def note(self, event: TokenEvent, tokens: Iterable[Token], author: Principal, at: Nanoseconds) -> None:
        """Note that ``author`` did the same to each of some tokens, as part of the transaction."""
        self._transaction.require_writing()
        note_token_changes(self._transaction.connection, event, tokens, author, at)


def note_token_changes(connection: Connection, event: TokenEvent, tokens: Iterable[Token], author: Principal, at: Nanoseconds) -> None:
    """Note what ``author`` did to tokens, in the transaction of a connection that alone writes; raises as statements do."""
    latest = connection.execute(select(func.coalesce(func.max(TOKEN_CHANGES.c.number), 0))).scalar_one()
    by = {"author": author.user_id, "author_project_id": author.project_id, "author_token_id": author.token_id}
    rows = [
        {
            "number": number,
            "at": at,
            "change": event.value,
            "token_id": token.id,
            "name": token.name,
            "project_id": token.project_id,
            "role": token.role.value,
            "agent_id": token.agent_id,
            "host": token.host,
            **by,
        }
        for number, token in enumerate(tokens, latest + 1)
    ]
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(TOKEN_CHANGES), rows[start : start + _AT_ONCE])
    connection.execute(delete(TOKEN_CHANGES).where(TOKEN_CHANGES.c.number <= latest + len(rows) - MOST_CHANGES))


def _read(row: Any) -> TokenChange:  # noqa: ANN401 - a row of ``_COLUMNS``
    return TokenChange(**(row._asdict() | {"change": TokenEvent(row.change), "role": Role(row.role)}))
