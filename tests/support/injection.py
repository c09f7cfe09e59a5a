"""Errors at every place at which an adapter calls what is not venturi's: libraries, the standard library, the kernel.

Owns finding these places and raising there. It works by the interpreter's profile function, which sees each call before it is made, so that
nothing is replaced: everything else runs as it is.
"""

import contextlib
import functools
import gc
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from tests.support.sources import PACKAGE
from venturi.core.domain.errors import VenturiError

_OWN = (str(PACKAGE), contextlib.__file__, functools.__file__, "<string>")
"""Code of venturi, also what dataclasses make of it, and of the standard library that only calls it."""

_UNGUARDED = frozenset(
    {"setprofile", "isinstance", "len", "append", "any", "items", "min", "__exit__", "__del__", "setns", "close", "SyncAPI.__enter__"}
    | {"freeze", "unfreeze", "enable", "disable", "isenabled", "gc_callback"}
)
"""What cannot fail, or what puts back what must be put back. ``SyncAPI`` is pyroute2's, and gives itself; ``gc_callback`` is what
Hypothesis has the collector call, which tells no caller of an error."""

Scenario = Sequence[Callable[[], object]]
"""What others ask of an adapter, call by call."""


@dataclass(frozen=True)
class Place:
    """A function of an adapter and what it calls there."""

    file: str
    caller: str
    called: str


class Entered(NamedTuple):
    """A function of venturi that ran."""

    file: str
    name: str


def _place(frame: FrameType, event: str, argument: object, folders: tuple[str, ...]) -> Place | None:
    """Give the place of a call that leaves the adapter, None for any other event."""
    if event == "c_call":
        caller, called = frame, str(getattr(argument, "__name__", ""))
    elif event == "call" and frame.f_back is not None and not frame.f_code.co_filename.startswith(_OWN):
        caller, called = frame.f_back, frame.f_code.co_name
    else:
        return None
    file = caller.f_code.co_filename
    named = {called, frame.f_code.co_qualname} if event == "call" else {called}
    if not file.startswith(folders) or _UNGUARDED & named or caller.f_code.co_name == "<module>":
        return None
    return Place(Path(file).relative_to(PACKAGE).as_posix(), caller.f_code.co_name, called)


def _run(call: Callable[[], object], profile: Callable[[FrameType, str, object], None] | None) -> BaseException | None:
    """Ask in a thread of its own, and give what was raised: a thread that fails while in a namespace ends with it."""
    raised: list[BaseException] = []

    def ask() -> None:
        gc.disable()  # a collection calls back whoever listens, within the call at hand
        sys.setprofile(profile)
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - what may leave is for the test to say
            raised.append(error)
        finally:
            sys.setprofile(None)
            gc.enable()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return next(iter(raised), None)


def find_places(scenario: Scenario, entered: set[Entered], *folders: str) -> list[list[Place]]:
    """Run a scenario undisturbed, and give for each of its calls the places that it is first to come to, in their order.

    A place is where a file below ``folders`` of the package calls others. All functions of the package that run are added to ``entered``.
    """
    below = tuple(str(PACKAGE / folder) for folder in folders)
    known: set[Place] = set()
    found: list[list[Place]] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
            entered.add(Entered(frame.f_code.co_filename, frame.f_code.co_qualname))
        place = _place(frame, event, argument, below)
        if place is not None and place not in known:
            known.add(place)
            found[-1].append(place)

    for call in scenario:
        found.append([])
        assert (raised := _run(call, note)) is None, raised
    return found


def list_descriptors() -> list[str]:
    """Tell what this process has open: paths of files, sockets by their numbers."""
    descriptors = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sorted(descriptors)


@contextlib.contextmanager
def nothing_unclosed(where: object) -> Iterator[None]:
    """Fail where the block leaves a file or a socket to the collector; of what was there before, only what is young is looked at."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect(0)
    unclosed = [str(each.message) for each in told]
    assert not unclosed, (where, unclosed)


def _forget_frames(error: BaseException | None) -> None:
    """Take from an error, and from what led to it, the frames that it passed: they keep open what was open there."""
    while error is not None:
        cause = error.__cause__ or error.__context__
        error.with_traceback(None).__cause__ = error.__context__ = None
        error = cause


@dataclass
class Injection:
    """Raises errors at the places of a scenario; ``prepare`` makes everything as it is before the first call.

    An error may leave no file and no socket open: neither to the collector, nor once everything is prepared anew.
    """

    scenario: Scenario
    prepare: Callable[[], object]
    folders: tuple[str, ...]
    _last: object = field(init=False, default=None)
    _descriptors: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Count what is open when everything is prepared."""
        self._prepare(0)
        self._descriptors = list_descriptors()

    def hold(self, number: int, places: Sequence[Place], errors: Sequence[Exception]) -> None:
        """Raise each error at each place that the call of a number comes to: nothing but an error of venturi's may leave it.

        A call that failed is asked again, with the next error. Where it then does not come to the place, or ends in anything else,
        because the failure left things otherwise, everything is prepared anew; after that it must.
        """
        pending = deque((place, error) for place in places for error in errors)
        asked = 0
        while pending:
            if asked == 0:
                self._prepare(number)
            place, error = pending[0]
            struck, left = self._strike(self.scenario[number], place, error)
            if struck and (left is None or isinstance(left, VenturiError)):
                pending.popleft()
                asked = 0 if left is None else asked + 1
            else:
                assert asked, (place, error, struck, left)
                asked = 0

    def strike(self, number: int, place: Place, error: Exception) -> None:
        """Raise one error at one place."""
        self._prepare(number)
        _, left = self._strike(self.scenario[number], place, error)
        assert left is None or isinstance(left, VenturiError), (place, error, left)

    def _prepare(self, number: int) -> None:
        self.prepare()
        descriptors = list_descriptors()
        assert self._last is None or len(descriptors) == len(self._descriptors), (self._last, descriptors, self._descriptors)
        for call in self.scenario[:number]:
            assert (raised := _run(call, None)) is None, raised

    def _strike(self, call: Callable[[], object], place: Place, error: Exception) -> tuple[bool, BaseException | None]:
        """Raise an error when a call comes to a place first; tell whether it did, and what left it."""
        below = tuple(str(PACKAGE / folder) for folder in self.folders)
        pending = [error]

        def strike(frame: FrameType, event: str, argument: object) -> None:
            if pending and _place(frame, event, argument, below) == place:
                raise pending.pop()

        self._last = (place, error)
        with nothing_unclosed(self._last):
            left = _run(call, strike)
            _forget_frames(left)
            _forget_frames(error)
        return not pending, left
