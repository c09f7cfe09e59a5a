"""Errors at every place at which an adapter calls what is not venturi's: libraries, the standard library, the kernel.

Owns finding these places and raising there. It works by the interpreter's profile function, which sees each call before it is made, so that
nothing is replaced: everything else runs as it is.
"""

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.support.sources import PACKAGE
from venturi.core.domain.errors import VenturiError

_OWN = (str(PACKAGE), contextlib.__file__, functools.__file__)
"""Code of venturi, and of the standard library that only calls it."""

_UNGUARDED = frozenset({"setprofile", "isinstance", "len", "append", "__exit__", "setns", "close"})
"""What cannot fail, or what puts back what must be put back."""

Scenario = Sequence[Callable[[], object]]
"""What others ask of an adapter, call by call."""


@dataclass(frozen=True)
class Place:
    """A function of an adapter and what it calls there."""

    file: str
    caller: str
    called: str


def _place(frame: FrameType, event: str, argument: object, folders: tuple[str, ...]) -> Place | None:
    """Give the place of a call that leaves the adapter, None for any other event."""
    if event == "c_call":
        caller, called = frame, str(getattr(argument, "__name__", ""))
    elif event == "call" and frame.f_back is not None and not frame.f_code.co_filename.startswith(_OWN):
        caller, called = frame.f_back, frame.f_code.co_name
    else:
        return None
    file = caller.f_code.co_filename
    if not file.startswith(folders) or called in _UNGUARDED or caller.f_code.co_name == "<module>":
        return None
    return Place(Path(file).relative_to(PACKAGE).as_posix(), caller.f_code.co_name, called)


def _run(
    scenario: Scenario, profile: Callable[[FrameType, str, object], None], is_over: Callable[[], bool] = lambda: False
) -> list[BaseException]:
    """Ask all until it is over, in a thread of its own, and give what was raised: one that fails while in a namespace ends with it."""
    raised: list[BaseException] = []

    def ask() -> None:
        for call in scenario:
            if is_over():
                return
            sys.setprofile(profile)
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - what may leave is for the test to say
                raised.append(error)
            finally:
                sys.setprofile(None)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return raised


def find_places(scenario: Scenario, *folders: str) -> list[Place]:
    """Run a scenario undisturbed and give the places at which files below ``folders`` of the package call others, in their order."""
    below = tuple(str(PACKAGE / folder) for folder in folders)
    found: dict[Place, None] = {}

    def note(frame: FrameType, event: str, argument: object) -> None:
        place = _place(frame, event, argument, below)
        if place is not None:
            found[place] = None

    raised = _run(scenario, note)
    assert raised == [], raised
    return list(found)


def what_leaves(scenario: Scenario, place: Place, error: Exception, *folders: str) -> list[BaseException]:
    """Run a scenario up to a place, where ``error`` is raised at the first call; give what left that is no error of venturi's."""
    below = tuple(str(PACKAGE / folder) for folder in folders)
    pending = [error]

    def strike(frame: FrameType, event: str, argument: object) -> None:
        if pending and _place(frame, event, argument, below) == place:
            raise pending.pop()

    return [each for each in _run(scenario, strike, lambda: not pending) if not isinstance(each, VenturiError)]
