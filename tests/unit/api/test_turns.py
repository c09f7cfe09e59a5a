"""Turns are shared out by caller, and what waits is bounded."""

import asyncio
import threading

import pytest

from venturi.core.domain.errors import ServerBusyError, TooManyReportsError
from venturi.interfaces.api import turns as module
from venturi.interfaces.api.turns import ReportPlaces, Turns


def test_callers_take_turns_whoever_asks_most() -> None:
    done: list[str] = []
    gate = threading.Event()

    async def ask() -> None:
        turns = Turns("pieces", 1, 100)
        first = asyncio.create_task(turns.run("first", lambda: gate.wait(10)))
        await asyncio.sleep(0)
        greedy = [asyncio.create_task(turns.run("greedy", lambda: done.append("greedy"))) for _ in range(5)]
        await asyncio.sleep(0)
        modest = asyncio.create_task(turns.run("modest", lambda: done.append("modest")))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, modest, *greedy)

    asyncio.run(ask())
    assert done == ["greedy", "modest", "greedy", "greedy", "greedy", "greedy"]


def test_what_waits_is_bounded_and_who_goes_away_gives_the_turn_on() -> None:
    gate = threading.Event()

    async def ask() -> None:
        turns = Turns("batches", 1, 2)
        first = asyncio.create_task(turns.run("a", lambda: gate.wait(10)))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(turns.run("b", lambda: None)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ServerBusyError, match="2 batches wait already; try again later"):
            await turns.run("c", lambda: None)
        waiting[0].cancel()
        gate.set()
        await asyncio.gather(first, waiting[1])
        assert await turns.run("c", lambda: 7) == 7

    asyncio.run(ask())


def test_a_turn_ends_with_its_work_even_if_nobody_waits_for_it() -> None:
    gate = threading.Event()

    async def ask() -> None:
        turns = Turns("pieces", 1, 2)
        left = asyncio.create_task(turns.run("a", lambda: gate.wait(10)))
        await asyncio.sleep(0)
        left.cancel()
        later = asyncio.create_task(turns.run("b", gate.is_set))
        await asyncio.sleep(0.05)
        assert not later.done()
        gate.set()
        assert await later

    asyncio.run(ask())


def test_places_are_bounded_by_caller_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PLACE_SECONDS", 0.05)

    async def ask() -> None:
        places = ReportPlaces(3, 2)
        held = [await places.take("a"), await places.take("a")]
        with pytest.raises(TooManyReportsError, match="2 reports of this caller are under way already"):
            await places.take("a")
        await places.take("b")
        with pytest.raises(ServerBusyError, match="3 reports are under way already"):
            await places.take("c")
        waiting = asyncio.create_task(places.take("a"))
        await asyncio.sleep(0)
        held[0]()
        await waiting

    asyncio.run(ask())
