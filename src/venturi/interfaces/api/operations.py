"""Routes for those who run the server: is it alive, is it ready, what does it count.

Owns ``/healthz`` and ``/metrics``.
"""

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from venturi.adapters.store.store import Store
from venturi.core.domain.control.principal import Principal
from venturi.interfaces.api.metrics import CONTENT_TYPE, ServerMetrics
from venturi.interfaces.api.turns import ServerTurns
from venturi.services.control.policy import OPERATION, Operation, require


@get("/healthz/live", sync_to_thread=False, opt={OPERATION: Operation.CHECK_HEALTH})
def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive"}


@get("/healthz/ready", opt={OPERATION: Operation.CHECK_HEALTH})
async def ready(store: Store, turns: ServerTurns) -> dict[str, str]:
    """Say that the store is reachable and migrated; otherwise the answer is 503 with the reason."""
    await turns.checks.run("", store.ping)
    return {"status": "ready"}


@get("/metrics", sync_to_thread=True, opt={OPERATION: Operation.READ_METRICS})
def metrics(caller: Principal, store: Store, server_metrics: ServerMetrics) -> Response[bytes]:
    """Give what the server counts of itself."""
    require(caller, Operation.READ_METRICS)
    return Response(server_metrics.write(store.latest_revision), media_type=CONTENT_TYPE)


def operations_routes() -> list[ControllerRouterHandler]:
    """Give the routes of this module."""
    return [live, ready, metrics]
