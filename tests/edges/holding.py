"""Scenarios of errors: what others ask of adapters, with an error at every place at which these call the world outside.

Owns the errors, and which doors a scenario goes through. How an error is raised is for ``tests.support.injection``.
"""

import errno
import inspect
import os
import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.support.injection import Entered, Injection, Scenario, find_places

_Test = TypeVar("_Test", bound=Callable[..., None])

NUMBERS = [errno.EMSGSIZE, errno.ENOBUFS, errno.EIO, errno.ENOSPC, errno.EMFILE, errno.ENOMEM, errno.EPERM, errno.EINTR, errno.ECONNRESET]
OCTETS: list[Exception] = [struct.error("unpack requires a buffer of 16 bytes"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")]
OS_ERRORS: list[Exception] = [OSError(number, "injected") for number in NUMBERS]

EVERY_ERROR = os.environ.get("VENTURI_TEST_ERRORS") == "all"
"""Whether each error is raised at each place also where that takes minutes."""

entered: set[Entered] = set()
"""The functions that scenarios of this process came to."""


def through(*doors: object) -> Callable[[_Test], _Test]:
    """Say through which doors of adapters a scenario goes; the test fails where it does not."""

    def mark(test: _Test) -> _Test:
        vars(test)["doors"] = doors
        return test

    return mark


def doors_of(test: object) -> Sequence[object]:
    """Give the doors that a test says it goes through."""
    doors: Sequence[object] = getattr(test, "doors", ())
    return doors


def was_entered(door: object) -> bool:
    """Tell whether any scenario came to a door: to the function, or to a method of the class."""
    target = inspect.unwrap(door) if callable(door) else door
    assert inspect.isclass(target) or inspect.isfunction(target)
    file, name = inspect.getfile(target), target.__qualname__
    return any(each.file == file and f"{each.name}.".startswith(f"{name}.") for each in entered)


def hold(
    scenario: Scenario,
    errors: Sequence[Exception],
    *folders: str,
    prepare: Callable[[], object] = tuple,
    calls: frozenset[str] = frozenset(),
    chosen: Sequence[Exception] = (),
    by_turns: bool = False,
) -> int:
    """Raise every error at every place of a scenario, and give the number of places.

    With ``calls``, only places that call one of these. What is only done once in a process is done before. Where every error at every
    place would take minutes, there are ``chosen`` ones, one of each kind that is handled alike; where these would too, each place has one
    error and each error a place, ``by_turns``. ``EVERY_ERROR`` raises all of them everywhere.
    """
    prepare()
    find_places(scenario, entered, *folders)
    prepare()
    found = [[place for place in places if not calls or place.called in calls] for places in find_places(scenario, entered, *folders)]
    injection = Injection(scenario, prepare, folders)
    raised = errors if EVERY_ERROR else chosen or errors
    if by_turns and not EVERY_ERROR:
        located = [(number, place) for number, places in enumerate(found) for place in places]
        for turn in range(max(len(located), len(raised)) if located else 0):
            injection.strike(*located[turn % len(located)], raised[turn % len(raised)])
    else:
        for number, places in enumerate(found):
            injection.hold(number, places, raised)
    return sum(map(len, found))
