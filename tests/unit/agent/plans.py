"""Plans for tests of metering, in short."""

from tests.spec.build import label
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.label import LabelWithRules
from venturi.services.agent.classification import classify_by
from venturi.services.agent.plan import AgentPlan
from venturi.services.control.planning.form import PlannedPoint

UPLINK = MeteredDevice(point_id="uplink", device="eth0")
GATEWAY = MeteredDevice(point_id="router", device="qg-1", namespace="qrouter-r1")

NET_TEN = label("ten", "in 10.0.0.0/8 > *", "out * > 10.0.0.0/8")
NET_ELEVEN = label("eleven", "in 11.0.0.0/8 > *")

POINTS = {
    "uplink": PlannedPoint(
        id="uplink",
        name="Uplink",
        project_id="p",
        shared=True,
        traffic="forwarded",
        kind="interface",
        classifier="all",
        host="h",
        device="eth0",
    ),
    "router": PlannedPoint(
        id="router", name="Router", project_id="p", shared=True, traffic="forwarded", kind="router", classifier="all", router_id="r1"
    ),
}


def make_plan(*labels: LabelWithRules, points: tuple[str, ...] = ("uplink", "router"), revision: int = 1) -> AgentPlan:
    """Make the plan of a host with these labels at these points."""
    return AgentPlan(revision=revision, points=tuple(POINTS[name] for name in points), classifications={"all": classify_by(labels)})
