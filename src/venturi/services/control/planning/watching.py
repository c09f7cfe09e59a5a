"""Waiting for the next revision without a thread or a database connection.

Owns who waits. One look at the store in a while serves everyone who waits, and sees the changes that other servers made;
changes made here are told at once.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from venturi.core.domain.control.revision import LatestRevision
from venturi.core.domain.errors import StoreError


class RevisionWatch:
    """Tells those who wait that the latest revision is another than the one they know: a newer one, or one of a database put back."""

    def __init__(self, latest: Callable[[], LatestRevision], *, period: float = 1.0) -> None:
        """Ask ``latest`` in a thread every ``period`` seconds while anyone waits."""
        self._latest = latest
        self._period = period
        self._waiting: dict[asyncio.Future[None], LatestRevision] = {}
        self._watching: asyncio.Task[None] | None = None
        self._nudge: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether nobody is to wait any more."""
        return self._stopped

    async def wait(self, known: LatestRevision, seconds: float) -> None:
        """Return when the latest revision may be another than ``known``, at the latest after ``seconds``."""
        if self._stopped:
            return
        self._loop = asyncio.get_running_loop()
        waiting = self._loop.create_future()
        self._waiting[waiting] = known
        if self._watching is None or self._watching.done():
            self._nudge = asyncio.Event()
            self._watching = asyncio.create_task(self._watch(self._nudge))
        try:
            await asyncio.wait([waiting], timeout=seconds)
        finally:
            del self._waiting[waiting]

    def notify(self) -> None:
        """Say, from any thread, that a revision may just have been committed."""
        loop, nudge = self._loop, self._nudge
        if self._waiting and loop is not None and nudge is not None and not loop.is_closed():
            loop.call_soon_threadsafe(nudge.set)

    def stop(self) -> None:
        """Let everyone go who waits, now and later; from any thread."""
        self._stopped = True
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._release)

    async def _watch(self, nudge: asyncio.Event) -> None:
        while self._waiting:
            nudge.clear()
            try:
                self._release(await asyncio.to_thread(self._latest))
            except StoreError:
                self._release()
            with suppress(TimeoutError):
                await asyncio.wait_for(nudge.wait(), self._period)

    def _release(self, latest: LatestRevision | None = None) -> None:
        """Wake those who know another revision than ``latest``, all for None."""
        for waiting, known in self._waiting.items():
            if not waiting.done() and (latest is None or latest != known):
                waiting.set_result(None)
