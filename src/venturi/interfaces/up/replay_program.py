"""The program of a replay: builds it of its settings, runs it until a signal, and takes it down.

Owns what belongs together. Nothing of a replay outlives it.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from venturi.adapters.client.agents import PlanClient
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.connection import Connection
from venturi.adapters.client.ledger import LedgerClient
from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.drivers.memory import MemoryDriver
from venturi.adapters.drivers.memory_host import MemoryHost
from venturi.adapters.ending import Ending
from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.spool import Spool
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.errors import ServerError
from venturi.core.domain.interval import SECOND, Interval, Nanoseconds
from venturi.core.ledger.bins import BIN
from venturi.interfaces.agent.observer import LoggingObserver
from venturi.interfaces.signals import ended_by_signals
from venturi.services.agent.clock import AgentClock
from venturi.services.agent.delivery.config import DeliveryConfig
from venturi.services.agent.delivery.delivery import Delivery
from venturi.services.agent.metering.metering import Metering
from venturi.services.agent.metering.parts import MeteringParts
from venturi.services.agent.plan import read_plan
from venturi.services.replaying.host import ReplayClock, ReplayHost
from venturi.services.replaying.passing import UPLINK, ReplayedCapture
from venturi.services.replaying.replay import Pace, Replay

REPLAY_HOST = "replay"
"""The host and the agent of a replay, which no real one is called."""

_MEASURE_INTERVAL = 10 * SECOND
_REPORT_INTERVAL = 60 * SECOND
_GENERATION_OCTETS = 16
_DELIVERY_SECONDS = 60.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class ReplayConfig:
    """What is replayed, where its spool lies, and the server that has its plan and gets its usage."""

    capture: ReplayedCapture
    spool: Path
    server: ConnectionConfig


class ReplayProgram:
    """One replay, from start to stop, in the main thread."""

    def __init__(self, config: ReplayConfig, log: FilteringBoundLogger) -> None:
        self._config = config
        self._log = log
        self._observer = LoggingObserver(log)
        self._supervisor = Supervisor(log, self._observer.thread_failed)
        self._ending = Ending()

    def run(self, show: Callable[[Interval], None]) -> None:
        """Replay until SIGTERM or Ctrl-C.

        The capture is over by now at the latest; once its usage is in the ledger, ``show`` is called with its time. Raises what
        reading a capture raises, ``ServerError`` where usage cannot be delivered, and the errors of a connection.
        """
        length = self._config.capture.length()
        start = (time.time_ns() - length) // BIN * BIN
        with ended_by_signals(self._ending.call), ExitStack() as running:
            spool = Spool(SpoolConfig(path=self._config.spool, agent_id=REPLAY_HOST), self._log)
            spool.start()
            running.callback(spool.stop)
            delivery = self._deliver(spool, running)
            replay = self._replay(spool, delivery, start, running)

            def caught_up() -> None:
                self._await_delivery(spool, delivery)
                if not self._ending.called:
                    show(Interval(Nanoseconds(start), Nanoseconds(start + length)))

            replay.run(self._config.capture.passing(start, length), Pace(time.time_ns, caught_up), self._ending)
        self._supervisor.require_alive()

    def _deliver(self, spool: Spool, running: ExitStack) -> Delivery:
        connection = running.enter_context(Connection(self._config.server))
        config = DeliveryConfig(agent_id=REPLAY_HOST, host=REPLAY_HOST)
        delivery = Delivery(config, spool, LedgerClient(connection), self._log, self._supervisor)
        delivery.start()
        running.callback(delivery.stop)
        return delivery

    def _replay(self, spool: Spool, delivery: Delivery, start: int, running: ExitStack) -> Replay:
        """Build what meters the uplink of the replay by the server's plan."""
        host, clock = MemoryHost(), ReplayClock(start)
        host.add_device(UPLINK)
        metering = Metering(
            MeteringParts(
                spool=spool,
                drivers=HookDrivers.only(MemoryDriver(host)),
                host=ReplayHost(host),
                clock=AgentClock(clock.look, REPLAY_HOST, self._observer),
                observer=self._observer,
                new_id=lambda: secrets.token_hex(_GENERATION_OCTETS),
                report_interval=_REPORT_INTERVAL,
            )
        )
        metering.start()
        plans = PlanClient(running.enter_context(Connection(self._config.server)), REPLAY_HOST, REPLAY_HOST)
        answer = plans.ask("", 0)
        if answer is not None:
            metering.follow(read_plan(answer[1], plans.name))
        return Replay(host, metering, clock, delivery.wake, measure_interval=_MEASURE_INTERVAL)

    def _await_delivery(self, spool: Spool, delivery: Delivery) -> None:
        """Wait until the ledger has everything, or until the end."""
        deadline = time.monotonic() + _DELIVERY_SECONDS
        while (size := spool.size()).waiting or size.unacknowledged:
            if self._ending.wait(_LOOK_SECONDS):
                return
            if time.monotonic() > deadline:
                message = f"what was replayed cannot be delivered: {delivery.state.problem or 'the server does not answer'}"
                raise ServerError(message)
