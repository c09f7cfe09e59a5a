"""When tokens were last used, noted without making requests wait for it.

Owns the delay between a use and its record. What a token opens is decided in ``tokens``.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress

from venturi.adapters.store.store import Store
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.control.token import Token
from venturi.core.domain.errors import StoreError
from venturi.core.domain.interval import Nanoseconds

NOTED_EVERY = Nanoseconds(60 * 10**9)
"""How old the record of a token's last use may become while it is used."""

_WRITE_SECONDS = 1.0
_SERVER = Principal(user_id="venturi", project_id="")


class LastUse:
    """Collects uses of tokens and writes them in a thread of its own; ``start`` begins that, ``stop`` writes what is left."""

    def __init__(self, store: Store) -> None:
        """Write to ``store``."""
        self._store = store
        self._lock = threading.Lock()
        self._pending: dict[str, Nanoseconds] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Begin to write, in a thread under ``supervisor``."""
        self._thread = supervisor.start("last-use", self._write_often, self._stopping)

    def stop(self) -> None:
        """Write what is left and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def note(self, token: Token, now: Nanoseconds) -> None:
        """Note a use, unless the record is recent enough."""
        if token.last_used_at is None or now - token.last_used_at >= NOTED_EVERY:
            with self._lock:
                self._pending.setdefault(token.id, now)

    def _write_often(self) -> None:
        while not self._stopping.wait(_WRITE_SECONDS):
            self._write()
        self._write()

    def _write(self) -> None:
        """Write what is pending; while the store cannot be written, it stays pending."""
        with self._lock:
            pending, self._pending = self._pending, {}
        if not pending:
            return
        try:
            with suppress(StoreError):
                self._touch(pending)
                pending = {}
        finally:
            with self._lock:
                self._pending = pending | self._pending

    def _touch(self, pending: Mapping[str, Nanoseconds]) -> None:
        with self._store.writing(_SERVER) as writer:
            for token_id, at in pending.items():
                writer.tokens.touch(token_id, at)
