"""The watermark: up to which posting roll-ups hold all entries, who may move it, and what lies beyond it.

Owns the row ``LEDGER_ROLLER``. It is taken first by whoever moves it, and a move is committed together with the sums that it stands for, so
no posting is folded twice. Postings never wait for it.
"""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select, update

from venturi.adapters.store.ledger.rolling.entries import Postings
from venturi.adapters.store.schema.ledger_tables import LEDGER_POSTINGS, LEDGER_ROLLER, LEDGER_STATE
from venturi.core.domain.errors import LeaseLostError
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import BIN, DAY

MOST_TAIL = 500_000
"""How many entries beyond the watermark a reader adds to roll-ups at most."""

MOST_TAIL_POSTINGS = 20_000
"""Of how many postings these are at most."""

GRACE = 60 * SECOND
"""How long after the end of a bin its usage is waited for: the usual report interval of agents, in nanoseconds."""

LEASE = 30 * SECOND
"""How long a roller that folds nothing keeps others from it, in nanoseconds."""

_ROLLER = LEDGER_ROLLER.c
_POSTINGS = LEDGER_POSTINGS.c


class Beyond(NamedTuple):
    """What lies beyond the watermark: the postings that a reader adds, how many are ``waiting`` in all, and since when the first one waits.

    ``rolled_until`` is None if a reader adds all of them, else when the first was posted that it does not. ``closed_until`` says up to when
    hours are in the roll-ups.
    """

    postings: Postings
    waiting: int
    since: int | None
    entries: int
    rolled_until: int | None
    closed_until: int

    def overdue(self, now: int) -> int:
        """Give for how many nanoseconds the first of them should have been folded, or a reader has lacked one; 0 if neither is so."""
        due = 0 if self.since is None else now - fold_time(self.since)
        return max(0, due, 0 if self.rolled_until is None else now - self.rolled_until)

    @property
    def days_until(self) -> int:
        """Up to when days are in the roll-ups."""
        return self.closed_until // DAY * DAY


def fold_time(posted_at: int) -> int:
    """Give when a posting is folded: once the bin of 5 minutes is over that was open when it came, and what is reported late is there.

    So a bin is written once for nearly all postings that add to it.
    """
    return (posted_at - GRACE) // BIN * BIN + BIN + GRACE


def fold_border(now: int) -> int:
    """Give the time before which postings came that are due to be folded."""
    return (now - GRACE) // BIN * BIN + GRACE


@dataclass(frozen=True)
class RollerLease:
    """The right to move the watermark, under its ``epoch``."""

    holder: str
    epoch: int


def read_beyond(connection: Connection, most: int = MOST_TAIL, before: int | None = None) -> Beyond:
    """Tell what lies beyond the watermark; ``entries`` counts those of the postings that a reader adds, at most ``most``.

    With ``before``, only postings from before that time are among them.
    """
    rolled, closed_until = map(int, connection.execute(select(_ROLLER.rolled, _ROLLER.closed_until)).one())
    latest = int(connection.execute(select(LEDGER_STATE.c.posting)).scalar_one())
    if latest <= rolled:
        return Beyond(Postings(rolled, rolled), 0, None, 0, None, closed_until)
    wanted = select(_POSTINGS.posting, _POSTINGS.entries, _POSTINGS.posted_at).where(
        _POSTINGS.posting > rolled, _POSTINGS.posting <= latest
    )
    entries, last, since, until = 0, rolled, None, None
    for posting, count, posted_at in connection.execute(wanted.order_by(_POSTINGS.posting).limit(MOST_TAIL_POSTINGS + 1)):
        since = posted_at if since is None else since
        too_many = last > rolled and (entries + count > most or posting - rolled > MOST_TAIL_POSTINGS)
        if too_many or (before is not None and posted_at >= before):
            until = posted_at
            break
        entries, last = entries + count, posting
    return Beyond(Postings(rolled, last), latest - rolled, since, entries, until, closed_until)


def take_lease(connection: Connection, holder: str, now: Nanoseconds) -> RollerLease | None:
    """Take the lease, or keep it; None while another has it.

    One that would outlast a new one by far was given by a clock that has been set back since, and counts as run out.
    """
    row = connection.execute(select(LEDGER_ROLLER).with_for_update()).one()
    if row.holder == holder:
        connection.execute(update(LEDGER_ROLLER).values(until=now + LEASE))
        return RollerLease(holder, row.epoch)
    if now < row.until <= now + 3 * LEASE:
        return None
    connection.execute(update(LEDGER_ROLLER).values(holder=holder, epoch=row.epoch + 1, until=now + LEASE))
    return RollerLease(holder, row.epoch + 1)


def move(connection: Connection, lease: RollerLease, postings: Postings, now: Nanoseconds) -> None:
    """Move the watermark over postings, in the transaction that folds them; raises ``LeaseLostError`` for who may not any more."""
    _use(connection, lease, now, _ROLLER.rolled == postings.after, rolled=postings.last)


def keep(connection: Connection, lease: RollerLease, now: Nanoseconds) -> None:
    """Keep the lease, and others from moving the watermark until the transaction ends; raises ``LeaseLostError``."""
    _use(connection, lease, now)


def _use(connection: Connection, lease: RollerLease, now: Nanoseconds, *also: ColumnElement[bool], **moved: int) -> None:
    mine = _ROLLER.epoch == lease.epoch, _ROLLER.holder == lease.holder, *also
    if connection.execute(update(LEDGER_ROLLER).where(*mine).values(until=now + LEASE, **moved)).rowcount != 1:
        message = "another server rolls postings up by now"
        raise LeaseLostError(message)
