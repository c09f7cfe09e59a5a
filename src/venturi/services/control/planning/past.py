"""What plans said before there was a record of it, worked out once beside the server.

Owns the thread that does so, and that it leaves time for others. A batch that needs what is not worked out yet is asked for again.
"""

import threading
import time

from venturi.adapters.store.ledger.told_history import HistoryWalk
from venturi.adapters.store.store import Store
from venturi.core.domain.errors import StoreError

_RETRY_SECONDS = 5.0


class PastPlans:
    """Works out the past in a thread of its own, piece by piece, each done for good; ``start`` begins that, ``stop`` ends it."""

    def __init__(self, store: Store, *, piece: int = 50) -> None:
        """Work out what ``store`` holds, by pieces of so many revisions that changed labels."""
        self._store = store
        self._piece = piece
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, or go on where this was left, unless all is done."""
        self._thread = threading.Thread(target=self._work, name="past-plans", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the piece at hand."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        """Work piece by piece, resting after each as long as it took; while the store cannot be used, try again."""
        walk: HistoryWalk | None = None
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                walk = self.work(walk)
            except StoreError:
                walk = None
                self._stopping.wait(_RETRY_SECONDS)
                continue
            if walk is None:
                return
            self._stopping.wait(time.monotonic() - began)

    def work(self, walk: HistoryWalk | None = None) -> HistoryWalk | None:
        """Work out one piece, and give the walk to go on by; None when all is done. Raises ``StoreError``."""
        with self._store.reading() as reader:
            walk = walk or reader.told.take_up()
            if walk is None:
                return None
            before = walk.reached
            found = reader.told.advance(walk, self._piece)
        with self._store.telling() as writer:
            if writer.record_history(found, before, walk.reached) and walk.reached < walk.end:
                return walk
        # All is done, or another server has done this piece: whatever is left is taken up anew.
        with self._store.reading() as reader:
            return reader.told.take_up()
