"""The roller: a thread that folds postings into roll-ups, some at a time, behind the watermark.

Owns when postings are folded, how many together, when hours and days are closed, and what an operator hears of it. On several servers
one rolls at a time, by a lease; whichever it is, others go on when it ends. Postings wait for it on no database but an embedded one, and
there not for long.
"""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from venturi.adapters.store.ledger.rolling.entries import Postings
from venturi.adapters.store.ledger.rolling.watermark import GRACE, MOST_TAIL, Beyond, RollerLease, fold_border, fold_time
from venturi.adapters.store.store import Store
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.alarm import Alarm, RaiseAlarm
from venturi.core.domain.errors import LeaseLostError, StoreError, SumTooLargeError
from venturi.core.domain.interval import SECOND, Nanoseconds, format_time
from venturi.core.ledger.bins import HOUR

_LOOK_SECONDS = 1.0
_YIELD_SECONDS = 0.01
_RETRY_SECONDS = 5.0
_RAISED_AGAIN = 60 * SECOND
_PARTITIONS_MADE = 60 * SECOND
_LEDGER = "ledger"
_TRIES = 3


class RollerAlarm(StrEnum):
    """What an operator should see to about roll-ups."""

    BEHIND = "rolling_behind"
    """Postings wait long for being folded into roll-ups: reports get slower, and then incomplete."""
    APART = "kept_apart"
    """A posting counts more than a roll-up can hold, and is added up when it is read."""
    PARTITIONS = "no_partitions"
    """The database refuses the partitions that will be needed: what is new is kept, but cannot go by whole partitions later."""


@dataclass(frozen=True, kw_only=True)
class RollerConfig:
    """When postings are folded before their bins are over: once so many entries or postings wait, of which readers add a bounded number.

    ``at_once`` is how many entries are folded in one transaction, ``at_once_embedded`` that on an embedded database, where postings wait
    meanwhile. Once one is overdue for ``behind`` nanoseconds an alarm is raised.
    """

    entries: int = 300_000
    postings: int = 12_000
    at_once: int = 500_000
    at_once_embedded: int = 50_000
    behind: int = 120 * SECOND


class Roller:
    """Folds postings; ``start`` begins that, ``stop`` ends it after the transaction at hand."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], Nanoseconds],
        alarm: RaiseAlarm,
        *,
        clear: Callable[[str, str], None] = lambda _kind, _subject: None,
        config: RollerConfig | None = None,
    ) -> None:
        """Fold what is posted into ``store``; ``alarm`` hears of what an operator should see to, ``clear`` of what is over."""
        self._store = store
        self._clock = clock
        self._alarm = alarm
        self._clear = clear
        self._config = config or RollerConfig()
        self._at_once = self._config.at_once_embedded if store.embedded else self._config.at_once
        self._holder = uuid.uuid4().hex
        self._lease: RollerLease | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed_at: list[int] = []
        self._problem = ""
        self._unclosed: Nanoseconds | None = None
        self._raised_at: int | None = 0  # an earlier run may have left an alarm open
        self._made_at: int | None = None
        self._not_made = 0

    def start(self, supervisor: Supervisor) -> None:
        """Begin, in a thread under ``supervisor``."""
        self._thread = supervisor.start("roller", self._run, self._stopping)

    def stop(self) -> None:
        """End after the transaction at hand."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def roll(self, *, due_only: bool = False) -> bool:
        """Fold the next postings, or with ``due_only`` none before they are due; tell whether any were.

        Once there are none, close the hours that are over. Raises ``StoreError``.
        """
        now = self._clock()
        with self._store.reading() as reader:
            beyond = reader.usage.beyond()
            early = not due_only or self._is_early(beyond, now)
            postings = reader.usage.next_postings(self._at_once, None if early else fold_border(now))
        self._watch(beyond)
        if beyond.since is None or (not early and now < fold_time(beyond.since)):
            self._close_hours(beyond.closed_until, now)
            return False
        try:
            rolled = self._fold(postings)
        except LeaseLostError:
            self._lease = None
            return False
        except StoreError as error:
            self._failed_at = [place for place in self._failed_at if place == postings.after] + [postings.after]
            self._problem = f"; the last try failed: {error}"
            if len(self._failed_at) < _TRIES:
                raise
            rolled = self._fold_one(postings.after)
        self._problem = ""
        return rolled

    def make_partitions(self) -> None:
        """Have the partitions made, once a minute, that will be needed soon; what has none yet does not wait for it."""
        now = self._clock()
        if self._store.embedded or (self._made_at is not None and 0 <= now - self._made_at < _PARTITIONS_MADE):
            return
        self._made_at = now
        try:
            with self._store.rolling() as writer:
                writer.make_partitions(self._holder, now)
        except StoreError as error:
            self._not_made += 1
            if self._not_made >= _TRIES:
                sentence = f"the ledger gets no new partitions, and goes on without: {error}"
                self._alarm(Alarm(kind=RollerAlarm.PARTITIONS, subject=_LEDGER, sentence=sentence))
            return
        if self._not_made >= _TRIES:
            self._clear(RollerAlarm.PARTITIONS, _LEDGER)
        self._not_made = 0

    def _run(self) -> None:
        """Fold whatever is due, and look again after a while; while the store cannot be used, try again."""
        while not self._stopping.is_set():
            self.make_partitions()
            try:
                if self.roll(due_only=True):
                    self._stopping.wait(_YIELD_SECONDS if self._store.embedded else 0)  # postings that waited come first
                    continue
            except StoreError:
                self._stopping.wait(_RETRY_SECONDS)
                continue
            self._stopping.wait(_LOOK_SECONDS)

    def _is_early(self, beyond: Beyond, now: int) -> bool:
        """Tell whether postings are folded though their bins are not over: for their number, or since a clock was set back since."""
        many = beyond.entries >= self._config.entries or beyond.waiting >= self._config.postings
        return many or (beyond.since is not None and beyond.since > now + GRACE)

    def _close_hours(self, closed: int, now: int) -> None:
        """Close the hours whose usage is folded: those that were over at the border up to which postings are."""
        until = Nanoseconds((fold_border(now) - GRACE) // HOUR * HOUR)
        try:
            while closed < until != self._unclosed and not self._stopping.is_set():
                lease = self._take_lease()
                if lease is None:
                    return
                with self._store.rolling() as writer:
                    closed = writer.close_next_hour(lease, until, self._clock())
        except LeaseLostError:
            self._lease = None
        except SumTooLargeError:
            sentence = (
                f"an hour or day before {format_time(until)} counts more than a roll-up can hold: reports sum 5 minutes from there on, "
                "which takes longer; look for the posting that counts so much, and correct it"
            )
            self._alarm(Alarm(kind=RollerAlarm.APART, subject=_LEDGER, sentence=sentence))
            self._unclosed = until  # tried again an hour later

    def _fold(self, postings: Postings) -> bool:
        """Fold postings, or as many of them as can be; give False while another server rolls."""
        lease = self._take_lease()
        if lease is None:
            return False
        while True:
            try:
                with self._store.rolling() as writer:
                    writer.fold(lease, postings, self._clock())
            except SumTooLargeError:
                if postings.last == postings.after + 1:
                    self._keep_apart(lease, postings)
                    return True
                postings = Postings(postings.after, (postings.after + postings.last) // 2)
            else:
                return True

    def _fold_one(self, after: int) -> bool:
        """Fold the next posting by itself; where that fails though the database can be used, keep it apart, so that others do not wait."""
        lease, postings = self._take_lease(), Postings(after, after + 1)
        if lease is None:
            return False
        try:
            with self._store.rolling() as writer:
                writer.fold(lease, postings, self._clock())
        except LeaseLostError:
            self._lease = None
            return False
        except (StoreError, SumTooLargeError):
            self._keep_apart(lease, postings)
        return True

    def _take_lease(self) -> RollerLease | None:
        if self._lease is None:
            with self._store.rolling() as writer:
                lease = writer.take_lease(self._holder, self._clock())
            self._lease = lease
        return self._lease

    def _keep_apart(self, lease: RollerLease, postings: Postings) -> None:
        with self._store.rolling() as writer:
            writer.keep_apart(lease, postings, self._clock())
        sentence = (
            f"posting {postings.last} cannot be folded into roll-ups, which hold no more than 2^63 - 1{self._problem}. What it adds or "
            f"corrects is in none, and reports add it up all the same: look at GET /v1/postings/{postings.last}, and correct it if wrong"
        )
        self._alarm(Alarm(kind=RollerAlarm.APART, subject=f"posting {postings.last}", sentence=sentence))

    def _watch(self, beyond: Beyond) -> None:
        """Raise the alarm while postings wait long, again each minute, and clear it when they do no more."""
        now = self._clock()
        overdue = beyond.overdue(now)
        if overdue <= self._config.behind:
            if self._raised_at is not None:
                self._clear(RollerAlarm.BEHIND, _LEDGER)
            self._raised_at = None
        elif self._raised_at is None or not 0 <= now - self._raised_at < _RAISED_AGAIN:
            sentence = (
                f"{beyond.waiting} postings wait to be folded into roll-ups, the first is {overdue // SECOND} s late: reports get slow and "
                f"lack what more than {MOST_TAIL} entries add; see to the thread 'roller' of servers and to the database{self._problem}"
            )
            self._alarm(Alarm(kind=RollerAlarm.BEHIND, subject=_LEDGER, sentence=sentence))
            self._raised_at = now
