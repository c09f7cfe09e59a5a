"""Whatever befalls an agent, its ledger is equal to what was sent where no gap is, and what is missing lies within a gap."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.spec.build import label
from tests.support.agent.world import AgentWorld
from tests.unit.agent.plans import GATEWAY, NET_ELEVEN, NET_TEN, UPLINK, make_plan
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.interval import SECOND
from venturi.core.domain.label import LabelWithRules

Planned = tuple[list[LabelWithRules], tuple[str, ...]]

PLACES = st.sampled_from([UPLINK, GATEWAY])
PLANS = st.tuples(
    st.lists(st.sampled_from([NET_TEN, NET_ELEVEN, label("rest", "in * > 192.168.0.0/16")]), max_size=2, unique_by=id),
    st.sampled_from([("uplink", "router"), ("uplink",), ("router",), ()]),
)
STEPS = st.one_of(st.none(), st.integers(0, 8))


class AgentMachine(RuleBasedStateMachine):
    """An agent, its host and its ledger, to which anything may happen in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="venturi-agent-"))
        self.world = AgentWorld(self.folder)
        self.copied = False

    @initialize(planned=PLANS)
    def begin(self, planned: Planned) -> None:
        for device, namespace in (("eth0", None), ("inside", None), ("qg-1", "qrouter-r1"), ("inside", "qrouter-r1")):
            self.world.host.add_device(device, namespace)
        self.world.follow(make_plan(*planned[0], points=planned[1]))
        self.world.watch()

    @rule(place=PLACES, octets=st.integers(20, 1500), source=st.sampled_from([0x0A000001, 0x0B000001, 1]), egress=st.booleans())
    def send(self, place: MeteredDevice, octets: int, source: int, egress: bool) -> None:
        self.world.send(place, octets, source=source, egress=egress)

    @rule(seconds=st.sampled_from([1, 10, 45, 400]), steps=STEPS)
    def tick(self, seconds: int, steps: int | None) -> None:
        if self.world.alive:
            self.world.fuse.steps = steps
            self.world.tick(seconds)
        else:
            self.world.advance(seconds)

    @precondition(lambda self: self.world.alive)
    @rule(planned=PLANS, steps=STEPS)
    def change_plan(self, planned: Planned, steps: int | None) -> None:
        self.world.follow(make_plan(*planned[0], points=planned[1]))
        self.world.fuse.steps = steps
        self.world.watch()

    @rule(place=PLACES)
    def remake_device(self, place: MeteredDevice) -> None:
        self.world.host.add_device(place.device, place.namespace)

    @rule(place=PLACES)
    def remove_device(self, place: MeteredDevice) -> None:
        self.world.host.remove_device(place.device, place.namespace)

    @rule(survive=st.booleans())
    def remove_namespace(self, survive: bool) -> None:
        self.world.host.remove_namespace("qrouter-r1", counters_survive=survive)

    @rule(namespace=st.sampled_from([None, "qrouter-r1"]))
    def remove_counters(self, namespace: str | None) -> None:
        self.world.host.remove_tables(namespace)

    @rule(because=st.sampled_from(["", "", "no"]))
    def refuse(self, because: str) -> None:
        self.world.host.refuse(because)

    @precondition(lambda self: self.world.alive)
    @rule(seconds=st.integers(-300, 300))
    def set_clock(self, seconds: int) -> None:
        self.world.wall += seconds * SECOND

    @precondition(lambda self: self.world.alive)
    @rule(full=st.booleans())
    def fill_disk(self, full: bool) -> None:
        assert self.world.spool is not None
        self.world.spool.full = full

    @precondition(lambda self: self.world.alive)
    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    @rule(reboot=st.booleans())
    def kill(self, reboot: bool) -> None:
        self.world.kill()
        if reboot:
            self.world.reboot()

    @precondition(lambda self: not self.world.alive)
    @rule(steps=STEPS)
    def start(self, steps: int | None) -> None:
        self.world.fuse.steps = steps
        self.world.start()

    @precondition(lambda self: not self.world.alive)
    @rule()
    def copy_spool(self) -> None:
        self.world.copy_spool()
        self.copied = True

    @precondition(lambda self: not self.world.alive and self.copied)
    @rule()
    def restore_spool(self) -> None:
        self.world.restore_spool()

    def teardown(self) -> None:
        try:
            self.world.finish()
            self.world.check()
        finally:
            self.world.kill()
            shutil.rmtree(self.folder)


TestAgent = AgentMachine.TestCase
TestAgent.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
