"""The HTTP server in a thread of its own, beside whatever the main thread does.

Owns the thread. Signals are the main thread's affair.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from venturi.adapters.server.server import HttpServer


@contextmanager
def running_beside(server: HttpServer) -> Iterator[None]:
    """Run a server that was started until the end of the block; requests that are being answered then get their time to end."""
    thread = threading.Thread(target=server.run, name="server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join()
