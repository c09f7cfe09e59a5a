"""Builds an agent's way of delivery, and waits for what comes of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from structlog.typing import FilteringBoundLogger

from tests.spool.building import LOG
from tests.support.threads import unexpected_supervisor
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.connection import Connection
from venturi.adapters.client.ledger import LedgerClient
from venturi.adapters.spool.spool import Spool
from venturi.services.agent.delivery.config import DeliveryConfig
from venturi.services.agent.delivery.delivery import Delivery

TOKEN = "a-token"  # noqa: S105 - of nobody
_PATIENCE = 10.0


@contextmanager
def delivering(spool: Spool, url: str, log: FilteringBoundLogger = LOG, **changes: Any) -> Iterator[Delivery]:  # noqa: ANN401 - fields of the configuration
    """Deliver what is in a spool to the ledger behind a URL, in haste."""
    hasty = DeliveryConfig(agent_id="agent-1", host="host-1", first_pause=0.001, longest_pause=0.01, retention=1 << 60)
    config = replace(hasty, **changes)
    with Connection(ConnectionConfig(url=url, token=TOKEN, connect_seconds=2.0, read_seconds=2.0)) as connection:
        delivery = Delivery(config, spool, LedgerClient(connection), log, unexpected_supervisor())
        delivery.start()
        try:
            yield delivery
        finally:
            delivery.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    latest = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < latest, "it never came to that"
        time.sleep(0.002)
