"""A transaction that rolls postings up, of which one at a time moves the watermark on all servers.

Owns the order of its steps: the watermark first, which keeps others out, then the sums.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError

from venturi.adapters.store.ledger.rolling.apart import keep_apart
from venturi.adapters.store.ledger.rolling.closing import close_next_hour
from venturi.adapters.store.ledger.rolling.entries import Postings
from venturi.adapters.store.ledger.rolling.folding import fold
from venturi.adapters.store.ledger.rolling.partitions import make_partitions
from venturi.adapters.store.ledger.rolling.watermark import RollerLease, keep, move, take_lease
from venturi.core.domain.errors import SumTooLargeError
from venturi.core.domain.interval import Nanoseconds

_OUT_OF_RANGE = 1690
"""The number of MariaDB's error for a sum out of range."""

_OVERFLOW = "integer overflow"
"""What SQLite says of a sum beyond 64 bits."""

_NOT_WHOLE = "CHECK constraint failed: ck_ledger_"
"""What SQLite says when two numbers of 64 bits add up to a fraction, since they do not fit one."""


class RollerWriter:
    """What one transaction may do that rolls postings up."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take_lease(self, holder: str, now: Nanoseconds) -> RollerLease | None:
        """Take the lease, or keep it; None while another has it."""
        return take_lease(self._connection, holder, now)

    def make_partitions(self, holder: str, now: Nanoseconds) -> int:
        """Make the partitions that will be needed soon, unless another server rolls; give how many."""
        return 0 if take_lease(self._connection, holder, now) is None else make_partitions(self._connection, now)

    def fold(self, lease: RollerLease, postings: Postings, now: Nanoseconds) -> None:
        """Fold postings, the next ones beyond the watermark.

        Raises ``LeaseLostError`` for who may not any more, and ``SumTooLargeError`` if a sum would be more than a roll-up can hold.
        """
        move(self._connection, lease, postings, now)
        with _overflows():
            fold(self._connection, postings)

    def close_next_hour(self, lease: RollerLease, until: Nanoseconds, now: Nanoseconds) -> int:
        """Sum the next hour that is over at ``until``, a border of hours, and its day if that is over; give up to when all are summed.

        Raises ``LeaseLostError``, and ``SumTooLargeError`` if a sum would be more than a roll-up can hold.
        """
        keep(self._connection, lease, now)
        with _overflows():
            return close_next_hour(self._connection, until)

    def keep_apart(self, lease: RollerLease, postings: Postings, now: Nanoseconds) -> None:
        """Fold one posting without what no roll-up can hold; raises ``LeaseLostError``."""
        move(self._connection, lease, postings, now)
        with _overflows():
            keep_apart(self._connection, postings)


@contextmanager
def _overflows() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if not _is_overflow(error):
            raise
        message = "counts add up to more than a roll-up can hold"
        raise SumTooLargeError(message) from error


def _is_overflow(error: DBAPIError) -> bool:
    """Tell whether a sum left the range of 64 bits, which each database refuses in its own way."""
    arguments = getattr(error.orig, "args", ()) or ("",)
    said = str(arguments[0])
    return isinstance(error, DataError) or arguments[0] == _OUT_OF_RANGE or _OVERFLOW in said or _NOT_WHOLE in said
