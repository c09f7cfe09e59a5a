"""Routes for those who run the server: is it alive, is it ready, what does it count.

Owns ``/healthz`` and ``/metrics``.
"""

import time
from collections.abc import Mapping
from functools import partial

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from venturi.adapters.store.store import Store
from venturi.adapters.store.tables.agents import MOST_AGENTS
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.interval import SECOND
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
    """Say that the store is reachable and migrated, how the threads are, and how far roll-ups are behind.

    Otherwise the answer is 503 with the reason.
    """
    await turns.checks.run("", store.ping)
    return {"status": "ready", "threads": dict(supervisor.states()), "tail": dict(await turns.checks.run("", partial(_tell_tail, store)))}


def _tell_tail(store: Store) -> Mapping[str, int]:
    """Tell how many postings roll-ups lack, and for how many seconds the first of them waits."""
    with store.reading() as reader:
        beyond = reader.usage.beyond()
    return {"postings": beyond.waiting, "seconds": beyond.waited(time.time_ns()) // SECOND}


@get("/metrics", sync_to_thread=True, opt={OPERATION: Operation.READ_METRICS})
def metrics(caller: Principal, store: Store, server_metrics: ServerMetrics, supervisor: Supervisor) -> Response[bytes]:
    """Give what the server counts of itself."""
    require(caller, Operation.READ_METRICS)
    with store.reading() as reader:
        open_alarms = reader.alarms.count_open()
        beyond = reader.usage.beyond()
        agents, missing = reader.agents.list(MOST_AGENTS), reader.agents.count_missing()
    server_metrics.show_threads(supervisor.states(), supervisor.failures())
    server_metrics.show_open_alarms(open_alarms)
    server_metrics.show_tail(beyond.waiting, beyond.entries, beyond.waited(time.time_ns()) / SECOND)
    server_metrics.show_agents(observe_agents(agents, missing, time.time_ns()))
    return Response(server_metrics.write(store.latest_revision), media_type=CONTENT_TYPE)


def operations_routes() -> list[ControllerRouterHandler]:
    """Give the routes of this module."""
    return [live, ready, metrics]
