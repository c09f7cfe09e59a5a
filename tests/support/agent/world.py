"""A host in memory with an agent that may be killed at any step, and a model of what its ledger must come to.

Owns the clocks, the traffic that was sent and the comparison with what was recorded. Spool and metering are the real ones.
"""

import shutil
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from pathlib import Path

import structlog

from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.drivers.memory import MemoryDriver
from venturi.adapters.drivers.memory_host import MemoryHost, PassingPackets
from venturi.adapters.drivers.protocol import Reading
from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.values import DatedAnew, Recording, SpooledGeneration
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.errors import DriverError, SpoolFullError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.interval import SECOND
from venturi.core.domain.label import LabelWithRules
from venturi.core.ledger.batch import BatchLabel, MeteredInterval, decode_batch
from venturi.core.meter.readings.timeline import BothClocks, Correction
from venturi.services.agent.clock import AgentClock
from venturi.services.agent.metering.metering import Metering
from venturi.services.agent.metering.parts import MeteringParts
from venturi.services.agent.metering.recovering import latest_moment
from venturi.services.agent.observing import AgentAlarm
from venturi.services.agent.plan import AgentPlan

START = 1_800_000_000 * SECOND
REPORT_INTERVAL = 60 * SECOND
LOG = structlog.wrap_logger(structlog.PrintLogger(sys.stderr), wrapper_class=structlog.make_filtering_bound_logger(50))


class KilledError(BaseException):
    """The agent was killed here; nothing in it may catch this."""


@dataclass
class Fuse:
    """Kills the agent after so many more steps, never without a number."""

    steps: int | None = None

    def step(self) -> None:
        if self.steps is not None:
            self.steps -= 1
            if self.steps < 0:
                self.steps = None
                raise KilledError


class KillableDriver(MemoryDriver):
    """A memory driver at whose steps the agent may be killed, before or after."""

    def __init__(self, host: MemoryHost, fuse: Fuse) -> None:
        super().__init__(host)
        self.fuse = fuse

    def apply(self, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation) -> None:
        self.fuse.step()
        super().apply(metered, classifier, generation)
        self.fuse.step()

    def read(self, metered: MeteredDevice, generation: Generation) -> Reading:
        self.fuse.step()
        return super().read(metered, generation)

    def retire(self, metered: MeteredDevice, generation: Generation) -> None:
        self.fuse.step()
        super().retire(metered, generation)
        self.fuse.step()


class KillableSpool(Spool):
    """A spool at whose steps the agent may be killed, and whose disk may be full."""

    def __init__(self, path: Path, fuse: Fuse) -> None:
        super().__init__(SpoolConfig(path=path, agent_id="agent", reserve=1 << 16), LOG)
        self.fuse = fuse
        self.full = False

    def enter(self, spooled: SpooledGeneration, classifier: Sequence[LabelWithRules]) -> None:
        self.fuse.step()
        self._refuse()
        super().enter(spooled, classifier)
        self.fuse.step()

    def record(self, recording: Recording) -> None:
        self.fuse.step()
        self._refuse()
        super().record(recording)
        self.fuse.step()

    def date_anew(self, correction: Correction) -> DatedAnew:
        self.fuse.step()
        self._refuse()
        dated = super().date_anew(correction)
        self.fuse.step()
        return dated

    def _refuse(self) -> None:
        if self.full:
            message = "there is no room"
            raise SpoolFullError(message)


class MemoryView:
    """The devices of a memory host, as metering sees a host; ``held`` are devices that another process meters.

    Namespaces in ``closed`` cannot be entered.
    """

    def __init__(self, host: MemoryHost) -> None:
        self._host = host
        self.held: set[str] = set()
        self.bypassed: set[str] = set()
        self.closed: set[str | None] = set()

    def list_namespaces(self) -> list[str]:
        return self._host.list_namespaces()

    def list_devices(self, namespace: str | None) -> Mapping[str, Hashable]:
        try:
            return {} if namespace in self.closed else {device.name: device.index for device in self._host.list_devices(namespace)}
        except DriverError:
            return {}

    def hold(self, metered: MeteredDevice) -> bool:
        return metered.place not in self.held

    def release(self, metered: MeteredDevice) -> None:
        """Release nothing: what is held here is held by others."""

    def has_bypass(self, metered: MeteredDevice) -> bool:
        return metered.place in self.bypassed


@dataclass
class Alarms:
    """What the agent said."""

    raised: list[AgentAlarm] = field(default_factory=list)

    def raise_alarm(self, alarm: AgentAlarm, message: str, *, device: str = "", point: str = "") -> None:
        assert message
        assert isinstance(device, str)
        assert isinstance(point, str)
        self.raised.append(alarm)

    def clear_alarm(self, alarm: AgentAlarm, *, device: str = "") -> None:
        assert alarm
        assert isinstance(device, str)

    def note(self, event: str, **details: object) -> None:
        assert event or details


@dataclass(frozen=True)
class Sent:
    """A packet that passed a place; ``must`` is whether the agent had looked for that place by then."""

    time: int
    place: str
    octets: int
    must: bool


@dataclass(frozen=True)
class Posted:
    """An interval that the ledger has."""

    point_id: str
    labels: tuple[BatchLabel, ...]
    interval: MeteredInterval

    @property
    def packets(self) -> int:
        return sum(total.packets for total in self.interval.totals)

    @property
    def octets(self) -> int:
        return sum(total.octets for total in self.interval.totals)


class AgentWorld:
    """A host, an agent on it and its ledger."""

    def __init__(self, folder: Path) -> None:
        self.host = MemoryHost()
        self.view = MemoryView(self.host)
        self.alarms = Alarms()
        self.fuse = Fuse()
        self.folder = folder
        self.wall, self.monotonic, self.boot = START, 0, 1
        self.sent: list[Sent] = []
        self.posted: list[Posted] = []
        self.delivered = 0
        self.plan: AgentPlan | None = None
        self.planned: set[str] = set()
        self._pending: list[Sent] = []
        self._ids = count(1)
        self.spool: KillableSpool | None = None
        self.start()

    @property
    def alive(self) -> bool:
        return self.spool is not None

    def look(self) -> BothClocks:
        """Show the clocks, which go on by a microsecond with each look."""
        self.wall += 1000
        self.monotonic += 1000
        return BothClocks(self.wall, self.monotonic)

    def advance(self, seconds: float) -> None:
        self.wall += int(seconds * SECOND)
        self.monotonic += int(seconds * SECOND)

    def start(self) -> None:
        """Start the agent as it starts on a host: with what its spool and its last plan say."""
        self.spool = KillableSpool(self.folder / "spool.db", self.fuse)
        self.spool.start()
        self.clock = AgentClock(self.look, str(self.boot), self.alarms, latest_moment(self.spool.generations()))
        now = self.clock.now().wall  # a timeline that ran ahead of a clock that was set back is gone with its agent
        self.sent = [replace(each, time=min(each.time, now)) for each in self.sent]
        self.sent += [replace(each, time=now) for each in self._pending]
        self._pending = []
        parts = MeteringParts(
            spool=self.spool,
            drivers=self.make_drivers(self.spool),
            host=self.view,
            clock=self.clock,
            observer=self.alarms,
            new_id=lambda: f"{next(self._ids):032x}",
            report_interval=REPORT_INTERVAL,
        )
        self.metering = Metering(parts)
        self.do(self.metering.start)
        if self.alive and self.plan is not None:
            self.metering.resume(self.plan)

    def make_drivers(self, spool: Spool) -> HookDrivers:  # noqa: ARG002 - for worlds in which it matters what was there before
        """Give the drivers of an agent that starts with a spool."""
        return HookDrivers.only(KillableDriver(self.host, self.fuse))

    def do(self, step: Callable[[], object]) -> bool:
        """Have the agent do something, in which it may be killed; tell whether it lives."""
        try:
            step()
        except KilledError:
            self.kill()
        self.fuse.steps = None
        return self.alive

    def kill(self) -> None:
        if self.spool is not None:
            self.spool.stop()
        self.spool = None

    def follow(self, plan: AgentPlan) -> None:
        self.plan = plan
        self.planned &= {point.id for point in plan.points}
        if self.alive:
            self.metering.follow(plan)

    def watch(self) -> bool:
        """Look; what is new must be metered from then on, unless the spool could not even remember that it is new."""
        plan = self.plan
        if self.do(self.metering.watch) and plan is not None and self.spool is not None and not self.spool.full:
            self.planned = {point.id for point in plan.points}
        return self.alive

    def read(self, *, to_the_end: bool = False) -> bool:
        return self.do(lambda: self.metering.read(to_the_end=to_the_end))

    def tick(self, seconds: float = 10) -> None:
        """Let time pass, look and read."""
        self.advance(seconds)
        if self.watch():
            self.read()

    def send(self, metered: MeteredDevice, octets: int = 100, *, source: int = 0x0A000001, egress: bool = False) -> None:
        """Let one packet pass at a device, if it is there."""
        sides = ("inside", metered.device) if egress else (metered.device, "inside")
        self.let_pass(
            PassingPackets(
                in_device=sides[0],
                out_device=sides[1],
                family=4,
                source=source,
                destination=0xC0A80001,
                octets=octets,
                namespace=metered.namespace,
            )
        )
        if metered.device in self.view.list_devices(metered.namespace):
            must = metered.point_id in self.planned
            if self.alive:
                self.sent.append(Sent(self.clock.now().wall, metered.place, octets, must))
            else:
                self._pending.append(Sent(0, metered.place, octets, must))

    def let_pass(self, passing: PassingPackets) -> None:
        """Have the kernel count packets."""
        self.host.count(passing)

    def deliver(self) -> None:
        """Post all that is recorded, after the handshake: a spool that is behind the ledger is renewed first."""
        assert self.spool is not None
        if self.spool.head().sequence < self.delivered:
            self.metering.renew()
            self.delivered = 0
        while (sealed := self.spool.seal(self.wall)) is not None:
            batch = decode_batch(sealed.payload)
            self.posted += [Posted(batch.points[each.point].id, tuple(batch.labels), each) for each in batch.intervals]
            self.spool.acknowledge(sealed.sequence, self.wall)
            self.delivered = sealed.sequence

    def reboot(self) -> None:
        """Lose the kernel's counters, and begin the monotonic clock again."""
        self.kill()
        self.host.tables.clear()
        self.boot += 1
        self.monotonic = 0

    def copy_spool(self) -> None:
        """Keep a copy of the spool as it is between two steps; the agent is not running."""
        assert not self.alive
        for path in self.folder.glob("spool.db*"):
            shutil.copy(path, self.folder / f"copy-{path.name}")

    def restore_spool(self) -> None:
        """Put the copy in the place of the spool; the agent is not running."""
        assert not self.alive
        for path in self.folder.glob("copy-spool.db*"):
            shutil.copy(path, self.folder / path.name.removeprefix("copy-"))

    def finish(self) -> None:
        """Have the agent stop as it should, and deliver all."""
        if not self.alive:
            self.start()
        assert self.spool is not None
        self.spool.full = False
        self.tick()
        self.read(to_the_end=True)
        self.deliver()
        self.kill()

    def intervals(self, place: str) -> list[Posted]:
        return sorted((each for each in self.posted if each.interval.place == place), key=lambda each: each.interval.start)

    def check(self) -> None:
        """Hold the ledger to what was sent: where no gap is, equal; where one is, no more, and what is missing within its bounds."""
        for place in {each.place for each in self.sent} | {each.interval.place for each in self.posted}:
            posted = self.intervals(place)
            known = [each for each in posted if each.interval.coverage != "gap"]
            gaps = [each for each in posted if each.interval.coverage == "gap"]
            sent = [each for each in self.sent if each.place == place]
            for one, other in pairwise(known):
                assert one.interval.end <= other.interval.start, "counted twice"
            for each in known:
                within = [packet.octets for packet in sent if each.interval.start <= packet.time < each.interval.end]
                assert (each.packets, each.octets) == (len(within), sum(within)), each
            for each in gaps:
                within = [packet.octets for packet in sent if each.interval.start <= packet.time < each.interval.end]
                assert each.octets <= sum(within), each
            for packet in sent:
                covered = any(each.interval.start <= packet.time < each.interval.end for each in posted)
                assert covered or not packet.must, packet
