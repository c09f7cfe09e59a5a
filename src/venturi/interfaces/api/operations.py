"""Routes for those who run the server: is it alive, is it ready, what does it count.

Owns ``/healthz`` and ``/metrics``.
"""

import time

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from venturi.adapters.store.store import Store
from venturi.adapters.store.tables.agents import MOST_AGENTS
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.control.principal import Principal
from venturi.interfaces.api.agent_metrics import observe_agents
from venturi.interfaces.api.metrics import CONTENT_TYPE, ServerMetrics
from venturi.interfaces.api.turns import ServerTurns
from venturi.services.control.policy import OPERATION, Operation, require


@get("/healthz/live", sync_to_thread=False, opt={OPERATION: Operation.CHECK_HEALTH})
def live(supervisor: Supervisor) -> dict[str, object]:
    """Say that the process answers, and how its threads are."""
    return {"status": "alive", "threads": dict(supervisor.states())}


@get("/healthz/ready", opt={OPERATION: Operation.CHECK_HEALTH})
async def ready(store: Store, supervisor: Supervisor, turns: ServerTurns) -> dict[str, object]:
    """Say that the store is reachable and migrated, and how the threads are; otherwise the answer is 503 with the reason."""
    await turns.checks.run("", store.ping)
    return {"status": "ready", "threads": dict(supervisor.states())}


@get("/metrics", sync_to_thread=True, opt={OPERATION: Operation.READ_METRICS})
def metrics(caller: Principal, store: Store, server_metrics: ServerMetrics, supervisor: Supervisor) -> Response[bytes]:
    """Give what the server counts of itself."""
    require(caller, Operation.READ_METRICS)
    with store.reading() as reader:
        open_alarms = reader.alarms.count_open()
        agents, missing = reader.agents.list(MOST_AGENTS), reader.agents.count_missing()
    server_metrics.show_threads(supervisor.states(), supervisor.failures())
    server_metrics.show_open_alarms(open_alarms)
    server_metrics.show_agents(observe_agents(agents, missing, time.time_ns()))
    return Response(server_metrics.write(store.latest_revision), media_type=CONTENT_TYPE)


def operations_routes() -> list[ControllerRouterHandler]:
    """Give the routes of this module."""
    return [live, ready, metrics]
