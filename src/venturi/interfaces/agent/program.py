"""The program of an agent: builds it of its settings, runs it until it is stopped, and takes it down.

Owns what belongs together and the order of starting and stopping.
"""

import secrets
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from venturi.adapters.client.agents import PlanClient, StatusClient
from venturi.adapters.client.connection import Connection
from venturi.adapters.client.ledger import LedgerClient
from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.host_clocks import boot_id, look_at_clocks
from venturi.adapters.network.bypass import find_bypasses
from venturi.adapters.network.watched_host import WatchedHost
from venturi.adapters.plan_file import PlanFile
from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.spool import Spool
from venturi.adapters.threads.backoff import Recovery
from venturi.adapters.threads.metrics_server import MetricsServer
from venturi.adapters.threads.supervisor import Patience, Supervisor
from venturi.core.domain.interval import SECOND
from venturi.interfaces.agent.metrics import AgentMetrics
from venturi.interfaces.agent.observer import LoggingObserver
from venturi.services.agent.clock import AgentClock
from venturi.services.agent.configuration import AgentConfig
from venturi.services.agent.delivery.config import DeliveryConfig
from venturi.services.agent.delivery.delivery import Delivery
from venturi.services.agent.following import PlanFollower, PlanSource
from venturi.services.agent.metering.metering import Metering
from venturi.services.agent.metering.parts import MeteringParts
from venturi.services.agent.metering.recovering import latest_moment
from venturi.services.agent.observing import AgentAlarm
from venturi.services.agent.reporting import Reporting, ReportingParts
from venturi.services.agent.running import AgentRun, RunningParts
from venturi.services.agent.status_sending import SendingParts, StatusSending

_PLAN_WAIT = 50
"""Seconds that a question for a plan may take: less than the server's longest, so that the answer is the server's."""

_STATUS_SECONDS = 5.0
"""How long an answer to a status may take: an agent that ends waits for it."""

_GENERATION_OCTETS = 16


class AgentProgram:
    """One agent, from start to stop."""

    def __init__(self, config: AgentConfig, drivers: HookDrivers, log: FilteringBoundLogger, patience: Patience | None = None) -> None:
        """Count by ``drivers``; ``patience`` is that with threads which fail."""
        self._config = config
        self._drivers = drivers
        self._log = log
        self._observer = LoggingObserver(log)
        self._metrics = AgentMetrics()
        self._supervisor = Supervisor(log, self._observer.thread_failed, patience=patience)
        self._recovery = Recovery()
        self._run: AgentRun | None = None
        self._stopped = False

    def run(self, ready: Callable[[], None]) -> None:
        """Meter until ``stop`` is called; ``ready`` is called once this meters.

        Raises the errors of what cannot be started: ``SpoolError``, ``DriverError``, and those of a connection; and
        ``ThreadFailedError`` where a thread keeps failing.
        """
        with self._supervisor.watching_others(), ExitStack() as running:
            spool = Spool(SpoolConfig(path=self._config.spool, agent_id=self._config.agent_id, limit=self._config.spool_limit), self._log)
            spool.start()
            running.callback(spool.stop)
            self._start_drivers(spool, running)
            host = WatchedHost(find_bypasses)
            running.callback(host.stop)
            clock = AgentClock(look_at_clocks, boot_id(), self._observer, latest_moment(spool.generations()))
            spool.seal_while(clock.may_seal)
            woken = threading.Event()
            delivery = self._delivery(spool, clock, running)
            sending = self._sending(spool, clock, running)
            reporting = self._reporting(spool, clock, delivery, sending)
            source = self._plan_source(clock, running)
            follower = PlanFollower(
                source, self._kept_plan, self._observer, woken.set, self._supervisor, wait=_PLAN_WAIT, recovery=self._recovery
            )
            running.callback(follower.stop)
            run = self._run = AgentRun(
                RunningParts(
                    new_metering=lambda: self._metering(spool, host, clock),
                    clock=clock,
                    schedule=self._config.schedule,
                    follower=follower,
                    delivery=delivery,
                    observer=self._observer,
                    reporting=reporting,
                    supervisor=self._supervisor,
                ),
                woken,
                ready,
            )
            self._serve_metrics(running)
            if not self._stopped:
                run.run()
        self._supervisor.require_alive()

    def stop(self) -> None:
        """End soon; from any thread, and from a signal handler."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()

    @property
    def _kept_plan(self) -> Path:
        """The file beside the spool in which the last plan is kept."""
        return self._config.spool.with_name(f"{self._config.spool.name}.plan")

    def _start_drivers(self, spool: Spool, running: ExitStack) -> None:
        """Start what counts, and what counted before as far as the spool remembers."""
        running.callback(self._drivers.stop)
        for problem in self._drivers.start({spooled.driver for spooled in spool.generations()}):
            self._observer.raise_alarm(AgentAlarm.READING_FAILED, problem)

    def _metering(self, spool: Spool, host: WatchedHost, clock: AgentClock) -> Metering:
        return Metering(
            MeteringParts(
                spool=spool,
                drivers=self._drivers,
                host=host,
                clock=clock,
                observer=self._observer,
                new_id=lambda: secrets.token_hex(_GENERATION_OCTETS),
                report_interval=self._config.schedule.report_interval,
            )
        )

    def _delivery(self, spool: Spool, clock: AgentClock, running: ExitStack) -> Delivery | None:
        if self._config.server is None:
            return None
        connection = running.enter_context(Connection(self._config.server, clock.note_server_time))
        delivery = Delivery(
            DeliveryConfig(agent_id=self._config.agent_id, host=self._config.host),
            spool,
            LedgerClient(connection),
            self._log,
            self._supervisor,
            self._recovery,
        )
        delivery.start()
        running.callback(delivery.stop)
        return delivery

    def _sending(self, spool: Spool, clock: AgentClock, running: ExitStack) -> StatusSending | None:
        """Start what tells the server of this agent, None where there is none."""
        if self._config.server is None:
            return None
        connection = running.enter_context(Connection(replace(self._config.server, read_seconds=_STATUS_SECONDS), clock.note_server_time))
        parts = SendingParts(
            client=StatusClient(connection, self._config.agent_id),
            spool=spool,
            interval=self._config.schedule.report_interval / SECOND,
            look=look_at_clocks,
            log=self._log,
            supervisor=self._supervisor,
            recovery=self._recovery,
        )
        sending = StatusSending(parts)
        sending.start()
        running.callback(sending.stop)
        return sending

    def _plan_source(self, clock: AgentClock, running: ExitStack) -> PlanSource:
        if self._config.plan is not None:
            return PlanFile(self._config.plan)
        assert self._config.server is not None, "either a plan or a server"  # noqa: S101 - the settings have a server by default
        connection = running.enter_context(Connection(self._config.server, clock.note_server_time))
        return PlanClient(connection, self._config.host, self._config.agent_id)

    def _reporting(self, spool: Spool, clock: AgentClock, delivery: Delivery | None, sending: StatusSending | None) -> Reporting:
        parts = ReportingParts(
            agent_id=self._config.agent_id,
            host=self._config.host,
            driver=str(self._drivers),
            spool=spool,
            spool_path=self._config.spool,
            clock=clock,
            observer=self._observer,
            delivery=delivery,
            alarms=self._observer.alarms,
            open_alarms=self._observer.open_alarms,
            supervisor=self._supervisor,
            clock_offset=_no_offset if sending is None else sending.clock_offset,
        )
        return Reporting(parts, [self._metrics.show] if sending is None else [self._metrics.show, sending.show])

    def _serve_metrics(self, running: ExitStack) -> None:
        if self._config.metrics is not None:
            server = MetricsServer(self._metrics.registry, self._supervisor, self._log)
            server.start(*self._config.metrics)
            running.callback(server.stop)


def _no_offset() -> None:
    """Know nothing of a server's clock."""
