"""Group commit: batches that come while others are posted share the next transaction, and so one wait for the disk.

Owns the line in front of the ledger, who goes next, and how much goes at once. What posting a batch means is for ``posting``.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, zip_longest
from threading import Condition

from venturi.core.domain.control.principal import Principal
from venturi.services.ledger.posting import Acknowledgement, BatchPosting, PreparedBatch

_MOST_ROWS = 100_000
"""About how many entries one transaction adds; a single batch may have more."""

_MOST_WAITING = 64
_MANY_ROWS = 10_000

_Waiting = tuple[PreparedBatch, "Future[Acknowledgement]"]


class GroupPosting:
    """Posts batches, for threads that do not wait for each; for as long as the program runs."""

    def __init__(self, batches: BatchPosting, give_back_memory: Callable[[], None]) -> None:
        """Have ``batches`` post them, and memory given back after many rows."""
        self._batches = batches
        self._give_back_memory = give_back_memory
        self._changed = Condition()
        self._line: dict[str, deque[_Waiting]] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="posting")

    def submit(self, caller: Principal, body: bytes) -> "Future[Acknowledgement]":
        """Read the batch in an envelope, wait until the line has room for it, and say what will have its acknowledgement.

        Raises what ``BatchPosting.prepare`` does; the future raises the rest.
        """
        prepared = self._batches.prepare(caller, body)
        posted: Future[Acknowledgement] = Future()
        posted.set_running_or_notify_cancel()  # who does not wait for it any more cannot stop it
        with self._changed:
            self._changed.wait_for(self._has_room)
            self._line.setdefault(prepared.envelope.agent_id, deque()).append((prepared, posted))
        self._writer.submit(self._post_some)
        return posted

    def _has_room(self) -> bool:
        waiting = [prepared.rows for line in self._line.values() for prepared, _ in line]
        return len(waiting) < _MOST_WAITING and sum(waiting) < _MOST_ROWS

    def _post_some(self) -> None:
        """Post what waits, as much as goes at once; nothing if an earlier call has posted it."""
        group = self._take()
        if not group:
            return
        outcomes = self._batches.post_together([prepared for prepared, _ in group])
        for (_, posted), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                posted.set_exception(outcome)
            else:
                posted.set_result(outcome)
        rows = sum(prepared.rows for prepared, _ in group)
        del group
        if rows > _MANY_ROWS:
            self._give_back_memory()

    def _take(self) -> list[_Waiting]:
        """Take the first batch of each agent, then the second of each, until there are enough rows."""
        with self._changed:
            rows, group = 0, list[_Waiting]()
            for waiting in chain.from_iterable(zip_longest(*map(list, self._line.values()))):
                if waiting is None:
                    continue
                rows += waiting[0].rows
                if group and rows > _MOST_ROWS:
                    break
                group.append(waiting)
            for prepared, _ in group:
                line = self._line[prepared.envelope.agent_id]
                line.popleft()
                if not line:
                    del self._line[prepared.envelope.agent_id]
            self._changed.notify_all()
        return group
