"""A hostile agent beside the honest one: its host was told nothing, and it posts usage of what the other meters, as fast as it likes.

Owns what it says. That the ledger is as if it had not been there is for ``verdict``.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from tests.support.batches import SpoolOfTests, make_interval, send_form
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import HIGHEST, BatchLabel, BatchPoint, DirectionTotals, Envelope, MeteredInterval

_PAUSE = 0.2
_GAP: dict[str, Any] = {"coverage": "gap", "reason": "device_gone", "generation": "", "classifier": "", "revision": 0}


class HostileAgent:
    """Posts forged batches in a thread from ``start`` to ``stop``; ``acknowledged`` counts those that the ledger took."""

    def __init__(self, server: Callable[[], str], label_ids: Mapping[str, str]) -> None:
        """Post to ``server``, by the ids of labels by their names."""
        self._server = server
        self._label_ids = label_ids
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.acknowledged = 0

    def start(self, point_id: str) -> None:
        """Begin to post usage of a point."""
        self._thread = threading.Thread(target=self._run, args=(point_id,), name="hostile-agent", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Post no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, point_id: str) -> None:
        with urllib3.PoolManager(retries=False, timeout=20.0) as pool:
            for envelope in self._forge(point_id):
                if self._stopping.wait(_PAUSE):
                    return
                try:
                    answer = pool.request("POST", f"{self._server()}/v1/batches", body=send_form(envelope))
                except HTTPError:
                    continue
                self.acknowledged += answer.status == 200

    def _forge(self, point_id: str) -> Iterator[Envelope]:
        """Forge batches without end: of the time of the other agent and later, with numbers and names of its own."""
        points = [BatchPoint(point_id, "mine", "mine", shared=True, kind="router")]
        labels = [BatchLabel(label_id, "mine", "mine", shared=True) for label_id in self._label_ids.values()]
        for kind in cycle(range(4)):
            spool = SpoolOfTests("hostile", "elsewhere", points=points, labels=labels)
            yield spool.seal(*_intervals(kind, len(labels)))


def _intervals(kind: int, labels: int) -> list[MeteredInterval]:
    now = time.time_ns()
    bounds: dict[str, Any] = {"start": now - 30 * SECOND, "end": now}
    match kind:
        case 0:
            return [make_interval(usage=[(label, direction, 1, 777) for label in range(labels) for direction in (0, 1)], **bounds)]
        case 1:
            return [make_interval(**bounds, **_GAP), make_interval(start=0, end=SECOND)]
        case 2:
            return [make_interval(totals=[DirectionTotals(0, HIGHEST, HIGHEST, HIGHEST, HIGHEST)], **bounds)]
        case _:
            return [make_interval(usage=[(0, 0, 1, 1)], start=now, end=now + 365 * 24 * 3600 * SECOND)]
