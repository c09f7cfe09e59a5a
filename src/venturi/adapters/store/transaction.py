"""One transaction on the store, as its tables share it.

Owns which revision a change belongs to. When a transaction begins and ends is for ``store``.
"""

from contextlib import AbstractContextManager

from sqlalchemy import Connection

from venturi.core.domain.errors import StoreError


class Transaction:
    """A connection in a transaction; ``revision`` is the number that its changes get, None where it only reads.

    Whoever fetches many rows does so within ``fetching``.
    """

    def __init__(self, connection: Connection, fetching: AbstractContextManager[object], revision: int | None = None) -> None:
        self.connection = connection
        self.fetching = fetching
        self.changed = False
        self._revision = revision

    def require_writing(self) -> None:
        """Refuse to write in a transaction that only reads with ``StoreError``."""
        if self._revision is None:
            message = "a transaction that reads cannot write"
            raise StoreError(message)

    def change(self) -> int:
        """Note that something versioned changes, and give the number of the revision that it belongs to."""
        self.require_writing()
        self.changed = True
        return self._revision or 0

    @property
    def revision(self) -> int | None:
        """The number that ``change`` gave, None if it was never called."""
        return self._revision if self.changed else None
