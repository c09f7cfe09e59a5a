"""Two stages side by side: decoding in one thread, metering in the other.

Compiled code releases the interpreter lock, so both cores work even on a single file. Order is kept.
"""

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

Produced = TypeVar("Produced")

_DEPTH = 3
_PATIENCE = 0.05
_PATIENT_TURNS = 40


class _End:
    """Marks the end of what the producing thread yields, with the error that ended it, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Pipeline(Generic[Produced]):
    """Runs an iterator in a thread of its own; iterating gives what it yields, and raises what it raises.

    At most a few values wait between the two. The iteration ends early after ``interrupt``, which any thread and any
    signal handler may call.
    """

    def __init__(self, producer: Iterator[Produced]) -> None:
        """Take what is to run; the thread begins with the iteration."""
        self._producer = producer
        self._values: queue.Queue[Produced | _End] = queue.Queue(_DEPTH)
        self._interrupted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    @property
    def interrupted(self) -> bool:
        """Whether the iteration was told to end early."""
        return self._interrupted.is_set()

    def __iter__(self) -> Iterator[Produced]:
        """Start the thread and give its values in order."""
        self._thread.start()
        while not self.interrupted:
            try:
                value = self._values.get(timeout=_PATIENCE)
            except queue.Empty:
                continue
            if isinstance(value, _End):
                self._thread.join()
                if value.error is not None:
                    raise value.error
                return
            yield value

    def interrupt(self) -> None:
        """End the iteration before its next value."""
        self._interrupted.set()

    def stop(self) -> None:
        """Let the thread end; values on the way are dropped. A thread that waits for input that does not come is left behind."""
        self._interrupted.set()
        for _ in range(_PATIENT_TURNS):
            if not self._thread.is_alive():
                return
            with contextlib.suppress(queue.Empty):
                self._values.get(timeout=_PATIENCE)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for value in self._producer:
                self._values.put(value)
                if self.interrupted:
                    break
        except BaseException as raised:  # noqa: BLE001 - handed to the consuming thread, which raises it
            error = raised
        self._values.put(_End(error))
