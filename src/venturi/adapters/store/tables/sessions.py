"""Sessions in the store, each under the digest of its key; they are no part of a revision.

Owns the rows and the bound on them. Making keys and digests is for the services.
"""

from sqlalchemy import delete, func, insert, select

from venturi.adapters.store.schema.session_tables import SESSIONS
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.principal import Principal, Role
from venturi.core.domain.control.session import Session
from venturi.core.domain.interval import Nanoseconds

MOST_SESSIONS = 20
"""How many sessions of one user of a project are kept: with one more, the oldest ends."""


class SessionTable:
    """The sessions that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, key_digest: str) -> Session | None:
        """Give a session, or None."""
        row = self._connection.execute(select(SESSIONS).where(SESSIONS.c.key_digest == key_digest)).first()
        if row is None:
            return None
        roles = frozenset(map(Role, row.roles.split()))
        principal = Principal(user_id=row.user_id, project_id=row.project_id, roles=roles, token_id=row.token_id)
        return Session(principal=principal, created_at=Nanoseconds(row.created_at), expires_at=Nanoseconds(row.expires_at))

    def insert(self, key_digest: str, session: Session) -> None:
        """Add a session; those that are over go, and the oldest of its user beyond ``MOST_SESSIONS``."""
        self._transaction.require_writing()
        who = session.principal
        self._connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_at <= session.created_at))
        mine = (SESSIONS.c.user_id == who.user_id) & (SESSIONS.c.project_id == who.project_id)
        kept = select(SESSIONS.c.key_digest).where(mine).order_by(SESSIONS.c.created_at.desc(), SESSIONS.c.key_digest)
        too_many = self._connection.execute(kept.offset(MOST_SESSIONS - 1)).scalars().all()
        if too_many:
            self._connection.execute(delete(SESSIONS).where(SESSIONS.c.key_digest.in_(too_many)))
        row = {
            "key_digest": key_digest,
            "token_id": who.token_id,
            "user_id": who.user_id,
            "project_id": who.project_id,
            "roles": " ".join(sorted(who.roles)),
            "created_at": session.created_at,
            "expires_at": session.expires_at,
        }
        self._connection.execute(insert(SESSIONS), [row])

    def delete(self, key_digest: str) -> None:
        """End a session, if there is one."""
        self._transaction.require_writing()
        self._connection.execute(delete(SESSIONS).where(SESSIONS.c.key_digest == key_digest))

    def delete_of(self, principal: Principal) -> None:
        """End all sessions of a user of a project."""
        self._transaction.require_writing()
        mine = (SESSIONS.c.user_id == principal.user_id) & (SESSIONS.c.project_id == principal.project_id)
        self._connection.execute(delete(SESSIONS).where(mine))

    def count(self) -> int:
        """Count the sessions that are kept."""
        return self._connection.execute(select(func.count()).select_from(SESSIONS)).scalar_one()
