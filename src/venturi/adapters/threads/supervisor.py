"""The supervisor of a program's threads: none of them ends in silence.

Owns what happens when a thread fails: a log line with the trace, a count, a call of whoever raises alarms, and another start after a pause.
A thread that keeps failing ends the program, with an exit code on which the service manager starts it again. What threads do is for their
owners.
"""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from os import _exit as exit_process

from structlog.typing import FilteringBoundLogger

from venturi.adapters.threads.backoff import Backoff
from venturi.core.domain.errors import ThreadFailedError

OTHER_THREAD = "other"
"""The name under which failures of threads that nobody supervises are counted."""

EVENT_LOOP = "event-loop"
"""The name under which failures of tasks are counted."""

_LAST_RESORT_SECONDS = 60.0


class ThreadState(StrEnum):
    """How a supervised thread is."""

    RUNNING = "running"
    DOWN = "down"
    """It failed, and is started again after a pause; or it failed too often, and the program ends."""
    ENDED = "ended"
    """It was told to stop."""


@dataclass(frozen=True, kw_only=True)
class ThreadFailure:
    """A thread failed: the sentence says how, and what follows."""

    thread: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often a thread may fail.

    The pauses before it is started again are at most ``first_pause`` seconds, doubled by each further failure up to ``longest_pause``.
    With the failure after ``most_failures`` in a row the program ends. A thread that ran for ``settled`` seconds begins to count anew.
    """

    first_pause: float = 1.0
    longest_pause: float = 60.0
    most_failures: int = 8
    settled: float = 300.0


ONCE = Patience(most_failures=0)
"""The patience with a thread that cannot be started again: its first failure ends the program."""


class Supervisor:
    """Starts threads and starts them again; ``states`` says which of them are down."""

    def __init__(
        self,
        log: FilteringBoundLogger,
        failed: Callable[[ThreadFailure], None],
        end_program: Callable[[], None] | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Tell ``failed`` of each failure, from the thread that failed; ``end_program`` is called when a thread keeps failing."""
        self._log = log
        self._failed = failed
        self._end_program = end_program or terminate_process
        self._patience = patience or Patience()
        self._lock = threading.Lock()
        self._states: dict[str, ThreadState] = {}
        self._failures = Counter[str]()
        self._given_up: ThreadFailure | None = None

    def start(self, name: str, run: Callable[[], None], stopping: threading.Event, patience: Patience | None = None) -> "threading.Thread":
        """Run ``run`` in a thread of this name until it returns; where it fails, again after a pause, unless ``stopping`` is set."""
        self._set(name, ThreadState.RUNNING)
        supervised = _Supervised(self, name, run, stopping, patience or self._patience)
        thread = threading.Thread(target=supervised.run, name=name, daemon=True)
        thread.start()
        return thread

    def states(self) -> Mapping[str, str]:
        """Give the state of each thread by its name."""
        with self._lock:
            return {name: str(state) for name, state in sorted(self._states.items())}

    def failures(self) -> Mapping[str, int]:
        """Give how often each thread failed, those that never did too."""
        with self._lock:
            return {name: self._failures[name] for name in sorted({*self._states, *self._failures, OTHER_THREAD})}

    def expect(self, name: str) -> None:
        """Count failures of this name from zero on, before there is one."""
        with self._lock:
            self._failures[name] += 0

    def require_alive(self) -> None:
        """Raise ``ThreadFailedError`` if a thread failed so often that the program was to end."""
        if self._given_up is not None:
            raise ThreadFailedError(self._given_up.sentence)

    def note(self, name: str, error: BaseException, follows: str = "it is not started again by itself") -> ThreadFailure:
        """Log, count and tell a failure in a thread or task, supervised or not."""
        failure = ThreadFailure(thread=name, sentence=f"thread '{name}' failed ({_tell_error(error)}); {follows}")
        with self._lock:
            self._failures[name] += 1
        self._log.error("thread failed", thread=name, follows=follows, exc_info=error)
        try:
            self._failed(failure)
        except Exception as second:  # noqa: BLE001 - whatever the alarm ends in, the supervisor goes on
            self._log.error("alarm failed", thread=name, exc_info=second)
        return failure

    def give_up(self, failure: ThreadFailure) -> None:
        """End the program because of a thread."""
        self._given_up = self._given_up or failure
        self._end_program()

    def set_state(self, name: str, state: ThreadState) -> None:
        """Note how a thread is."""
        self._set(name, state)

    @contextmanager
    def watching_others(self) -> Iterator[None]:
        """Note the failures of threads that nobody supervises, until the end of the block."""

        def note(failed: threading.ExceptHookArgs) -> None:
            if failed.exc_value is not None:
                self.note(OTHER_THREAD, failed.exc_value)

        before = threading.excepthook
        threading.excepthook = note
        try:
            yield
        finally:
            threading.excepthook = before

    def _set(self, name: str, state: ThreadState) -> None:
        with self._lock:
            self._states[name] = state


class _Supervised:
    """One thread, from its first start to its end."""

    def __init__(self, supervisor: Supervisor, name: str, run: Callable[[], None], stopping: threading.Event, patience: Patience) -> None:
        self._supervisor = supervisor
        self._name = name
        self._run = run
        self._stopping = stopping
        self._patience = patience
        self._backoff = Backoff(patience.first_pause, patience.longest_pause)

    def run(self) -> None:
        """Run until it returns, or fails too often."""
        while True:
            began = time.monotonic()
            try:
                self._run()
            except BaseException as error:  # noqa: BLE001 - nothing may end a thread in silence
                if not self._is_started_again(error, time.monotonic() - began):
                    return
            else:
                self._supervisor.set_state(self._name, ThreadState.ENDED)
                return

    def _is_started_again(self, error: BaseException, seconds: float) -> bool:
        """Tell of a failure after ``seconds``, wait, and say whether to start again."""
        self._supervisor.set_state(self._name, ThreadState.DOWN)
        if seconds >= self._patience.settled:
            self._backoff.succeed()
        pause = self._backoff.fail()
        if self._backoff.failures > self._patience.most_failures:
            follows = f"it failed {self._backoff.failures} times in a row, so the program ends"
            self._supervisor.give_up(self._supervisor.note(self._name, error, follows))
            return False
        self._supervisor.note(self._name, error, f"it is started again in {pause:.1f} s")
        stopped = self._stopping.wait(pause)
        self._supervisor.set_state(self._name, ThreadState.ENDED if stopped else ThreadState.RUNNING)
        return not stopped


def terminate_process() -> None:
    """Have this process end as by SIGTERM; one that has not ended after a minute ends at once, with the exit code of the error."""
    last_resort = threading.Timer(_LAST_RESORT_SECONDS, exit_process, (ThreadFailedError.exit_code,))
    last_resort.daemon = True
    last_resort.start()
    os.kill(os.getpid(), signal.SIGTERM)


def _tell_error(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
