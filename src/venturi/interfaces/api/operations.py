"""Routes for those who run the server: is it alive, is it ready, what does it count.

Owns ``/healthz`` and ``/metrics``.
"""

import time
from functools import partial
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler
from msgspec import Meta, Struct

from venturi.adapters.store.store import Store
from venturi.adapters.store.tables.agents import MOST_AGENTS
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.interval import SECOND
from venturi.interfaces.api.agent_metrics import observe_agents
from venturi.interfaces.api.metrics import CONTENT_TYPE, ServerMetrics
from venturi.interfaces.api.openapi.declaring import Answer, declare
from venturi.interfaces.api.turns import ServerTurns
from venturi.services.control.policy import OPERATION, Operation, require

_TAGS = ["operations"]


class Health(Struct, kw_only=True):
    """How the server is: ``threads`` gives the state of each of its threads, running, down or ended."""

    status: str
    threads: dict[str, str]


class Waiting(Struct, kw_only=True):
    """Postings that are not folded into roll-ups yet: how many, and for how many seconds the first should have been."""

    postings: Annotated[int, Meta(ge=0)]
    seconds: Annotated[int, Meta(ge=0)]


class Readiness(Health, kw_only=True):
    """How a server is that is ready: ``tail`` says how many postings roll-ups lack, and for how long the first is overdue."""

    tail: Waiting


@get(
    "/healthz/live",
    sync_to_thread=False,
    opt={OPERATION: Operation.CHECK_HEALTH},
    tags=_TAGS,
    operation_class=declare(Health),
)
def live(supervisor: NamedDependency[Supervisor]) -> Health:
    """Tell that the process is alive.

    Answers as long as it is, and says how its threads are.
    """
    return Health(status="alive", threads=dict(supervisor.states()))


@get("/healthz/ready", opt={OPERATION: Operation.CHECK_HEALTH}, tags=_TAGS, operation_class=declare(Readiness, refusals=(503,)))
async def ready(store: NamedDependency[Store], supervisor: NamedDependency[Supervisor], turns: NamedDependency[ServerTurns]) -> Readiness:
    """Tell whether the database is reachable and of the right schema.

    503 with the reason if it is not.
    """
    tail = await turns.checks.run("", partial(_check, store))
    return Readiness(status="ready", threads=dict(supervisor.states()), tail=tail)


def _check(store: Store) -> Waiting:
    """Tell how many postings roll-ups lack, and for how many seconds the first is overdue; raises ``StoreError`` as ``ping`` does."""
    store.ping()
    with store.reading() as reader:
        beyond = reader.usage.beyond()
    return Waiting(postings=beyond.waiting, seconds=beyond.overdue(time.time_ns()) // SECOND)


@get(
    "/metrics",
    sync_to_thread=True,
    opt={OPERATION: Operation.READ_METRICS},
    tags=_TAGS,
    operation_class=declare(Answer(form=str, meaning="The metrics.", media_type=f"{CONTENT_TYPE}; charset=utf-8")),
)
def metrics(
    caller: NamedDependency[Principal],
    store: NamedDependency[Store],
    server_metrics: NamedDependency[ServerMetrics],
    supervisor: NamedDependency[Supervisor],
) -> Response[bytes]:
    """Give what the server counts of itself.

    In the text form of Prometheus.
    """
    require(caller, Operation.READ_METRICS)
    with store.reading() as reader:
        open_alarms = reader.alarms.count_open()
        beyond = reader.usage.beyond()
        agents, missing = reader.agents.list(MOST_AGENTS), reader.agents.count_missing()
    server_metrics.show_threads(supervisor.states(), supervisor.failures())
    server_metrics.show_open_alarms(open_alarms)
    server_metrics.show_tail(beyond.waiting, beyond.entries, beyond.overdue(time.time_ns()) / SECOND)
    server_metrics.show_agents(observe_agents(agents, missing, time.time_ns()))
    return Response(server_metrics.write(store.latest_revision), media_type=CONTENT_TYPE)


def operations_routes() -> list[ControllerRouterHandler]:
    """Give the routes of this module."""
    return [live, ready, metrics]
