"""The HTTP server in a thread of its own, beside whatever the main thread does.

Owns the thread. Signals are the main thread's affair.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from venturi.adapters.threads.supervisor import ONCE, Supervisor


class BesideServer(Protocol):
    """A server that runs until it is stopped from another thread."""

    def run(self) -> None:
        """Serve."""

    def stop(self) -> None:
        """Ask it to stop."""


@contextmanager
def running_beside(server: BesideServer, supervisor: Supervisor) -> Iterator[None]:
    """Run a server that was started until the end of the block; requests that are being answered then get their time to end.

    A server that fails cannot be started again by itself, so the program ends.
    """
    thread = supervisor.start("server", server.run, threading.Event(), ONCE)
    try:
        yield
    finally:
        server.stop()
        thread.join()
