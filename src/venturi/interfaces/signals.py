"""Signals that end a program: Ctrl-C and SIGTERM.

Owns the handlers while a block runs. What ending means is for the program.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def ended_by_signals(end: Callable[[], None]) -> Iterator[None]:
    """Call ``end`` on each signal that ends a program, until the end of the block; for the main thread."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        end()

    before = {number: signal.signal(number, handle) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
