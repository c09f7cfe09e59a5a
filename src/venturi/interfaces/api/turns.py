"""Turns: work that takes long waits in a line of its own, callers one after the other, so that small requests need not wait for it.

Owns who is next, and what is refused because too much waits. What is done in a turn, and how often one is taken, is for the routes.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from litestar.types import HTTPScope

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.errors import ServerBusyError, TooManyReportsError, VenturiError

BATCHES_AT_ONCE = 2
"""How many batches are worked on at a time: one is decoded while the other is posted."""

PLACE_SECONDS = 10.0
"""How long a report waits for a place at most."""

_MOST_WAITING = 100
_MOST_REPORT_THREADS = 2
_AT_END = "at_end"
Result = TypeVar("Result")


class Turns:
    """Threads of their own for one kind of work; for the thread of one event loop."""

    def __init__(self, name: str, places: int, most_waiting: int) -> None:
        """Do ``places`` pieces of work at a time while at most ``most_waiting`` wait; ``name`` says of what, in the plural."""
        self._name = name
        self._free = places
        self._most_waiting = most_waiting
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._threads = ThreadPoolExecutor(places, thread_name_prefix=name)

    async def run(self, caller: str, work: Callable[[], Result]) -> Result:
        """Do some work in a thread when it is the caller's turn; raises ``ServerBusyError`` if too much waits, and what the work raises."""
        await self._begin(caller)
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        running.add_done_callback(lambda _: self._end())
        return await asyncio.shield(running)

    async def _begin(self, caller: str) -> None:
        if self._free:
            self._free -= 1
            return
        if sum(map(len, self._waiting.values())) >= self._most_waiting:
            message = f"{self._most_waiting} {self._name} wait already; try again later"
            raise ServerBusyError(message)
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._end()  # the turn came at the same moment
            raise

    def _end(self) -> None:
        """Give the place to the first who waits of the caller whose turn it is; that caller then comes last."""
        while self._waiting:
            caller = next(iter(self._waiting))
            line = self._waiting.pop(caller)
            first = line.popleft()
            if line:
                self._waiting[caller] = line
            if not first.done():
                first.set_result(None)
                return
        self._free += 1


class ReportPlaces:
    """How many reports are under way, of each caller and in all, from the request to the end of the answer."""

    def __init__(self, most: int, most_of_caller: int) -> None:
        self._most = most
        self._most_of_caller = most_of_caller
        self._under_way: Counter[str] = Counter()
        self._waiting = 0
        self._given_back = asyncio.Event()

    async def take(self, caller: str) -> Callable[[], None]:
        """Take a place, some seconds from now at the latest, and give what gives it back.

        Raises ``TooManyReportsError`` if none of the caller's becomes free, ``ServerBusyError`` if none at all does.
        """
        deadline = asyncio.get_running_loop().time() + PLACE_SECONDS
        while error := self._find_obstacle(caller):
            if self._waiting >= _MOST_WAITING or asyncio.get_running_loop().time() >= deadline:
                raise error
            self._waiting += 1
            try:
                async with asyncio.timeout_at(deadline):
                    await self._given_back.wait()
            except TimeoutError:
                raise error from None
            finally:
                self._waiting -= 1
        self._under_way[caller] += 1
        return partial(self._give_back, caller)

    def _find_obstacle(self, caller: str) -> VenturiError | None:
        if self._under_way[caller] >= self._most_of_caller:
            message = f"{self._most_of_caller} reports of this caller are under way already; read or close one first"
            return TooManyReportsError(message)
        if self._under_way.total() >= self._most:
            message = f"{self._most} reports are under way already; try again later"
            return ServerBusyError(message)
        return None

    def _give_back(self, caller: str) -> None:
        self._under_way[caller] -= 1
        self._under_way += Counter()  # forgets who has none
        given_back, self._given_back = self._given_back, asyncio.Event()
        given_back.set()


@dataclass(frozen=True, kw_only=True)
class ServerTurns:
    """The lines of a server: of batches and corrections, of pieces of reports, and of checks of its health."""

    batches: Turns
    reports: Turns
    checks: Turns
    places: ReportPlaces


def make_turns(limits: Limits, threads: int) -> ServerTurns:
    """Make the lines of a server whose other requests have so many ``threads``."""
    return ServerTurns(
        batches=Turns("batches", BATCHES_AT_ONCE, limits.batches_waiting),
        reports=Turns("pieces of reports", report_threads(threads), limits.reports),
        checks=Turns("checks", 1, _MOST_WAITING),
        places=ReportPlaces(limits.reports, limits.reports_per_caller),
    )


def report_threads(threads: int) -> int:
    """Give how many pieces of reports are read at a time."""
    return max(1, min(_MOST_REPORT_THREADS, threads // 2))


def at_end(scope: HTTPScope, action: Callable[[], None]) -> None:
    """Have something done when the answer has ended, however it ends."""
    scope["state"].setdefault(_AT_END, []).append(action)


@contextmanager
def ending(scope: HTTPScope) -> Iterator[None]:
    """Do what ``at_end`` was told, when the block ends."""
    try:
        yield
    finally:
        for action in scope["state"].pop(_AT_END, ()):
            action()
