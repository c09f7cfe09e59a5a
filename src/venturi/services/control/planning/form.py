"""The plan document, version 1: what agents and collectors meter by, as it travels and as they may keep it.

Owns names, order and bounds of its fields: what agents meter by it must fit into the batches that they send. What belongs in a plan is for
``planning.making``.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import Hook, ObservationPoint
from venturi.core.ledger.batch import Count, Identifier, Text

PLAN_VERSION = 1
"""The version of the document; a reader refuses one that it does not know."""

Device = Annotated[str, Meta(pattern=r"^[^/\x00]{1,15}$")]
"""The name of a network device."""

Namespace = Annotated[str, Meta(pattern=r"^[^./\x00][^/\x00]{0,238}$")]
"""The name of a network namespace: with a device, it makes a place that a record can name."""

RouterId = Annotated[str, Meta(pattern=r"^[^/\x00]{1,200}$")]
"""The id of a router, which is a part of its namespace's name."""


class PlannedRule(Struct, kw_only=True):
    """A rule to meter by: prefixes masked, ``remote_ip_prefix`` translated, a missing prefix null."""

    metering_label_id: str
    direction: str
    source_ip_prefix: str | None
    destination_ip_prefix: str | None
    excluded: bool


class PlannedLabel(Struct, kw_only=True):
    """A label that has rules in the classifier."""

    id: Identifier
    name: Text
    project_id: Text
    shared: bool


class PlannedClassifier(Struct, kw_only=True):
    """The labels that apply at a set of points, by id, and their rules in normal order; the digest identifies the rules."""

    digest: str
    labels: list[PlannedLabel]
    rules: list[PlannedRule]


class PlannedPoint(Struct, kw_only=True, omit_defaults=True):
    """An observation point and the digest of the classifier that applies there; fields of other kinds are left out.

    So is a ``hook`` of netfilter, which readers that know of no other take every point to have.
    """

    id: Identifier
    name: Text
    project_id: Text
    shared: bool
    traffic: str
    kind: str
    classifier: str
    host: str | None = None
    namespace: Namespace | None = None
    device: Device | None = None
    router_id: RouterId | None = None
    address: str | None = None
    observation_domain: int | None = None
    outside_interfaces: list[int] = field(default_factory=list)
    collector_host: str | None = None
    hook: str | None = None


class Plan(Struct, kw_only=True):
    """What the agent or collector of ``host`` must meter, as it stood at ``revision``."""

    version: int
    host: str
    revision: Count
    points: list[PlannedPoint]
    classifiers: list[PlannedClassifier]


def planned_label(label: MeteringLabel) -> PlannedLabel:
    """Translate a label."""
    return PlannedLabel(id=label.id, name=label.name, project_id=label.project_id, shared=label.shared)


def planned_rule(normal_form: str) -> PlannedRule:
    """Translate a rule from its normal form (``core.classify.digest``)."""
    label_id, direction, source, destination, excluded = normal_form.rsplit(" ", 4)
    return PlannedRule(
        metering_label_id=label_id,
        direction=direction,
        source_ip_prefix=None if source == "-" else source,
        destination_ip_prefix=None if destination == "-" else destination,
        excluded=excluded == "excluded",
    )


def planned_point(point: ObservationPoint, digest: str) -> PlannedPoint:
    """Translate a point at which the classifier of ``digest`` applies."""
    place: dict[str, Any] = {} if point.place is None else dict(vars(point.place))
    if "outside_interfaces" in place:
        place["outside_interfaces"] = list(place["outside_interfaces"])
    if place.get("hook") is Hook.NETFILTER:
        del place["hook"]
    place.pop("hosts", None)
    return PlannedPoint(
        id=point.id,
        name=point.name,
        project_id=point.project_id,
        shared=point.shared,
        traffic=str(point.traffic),
        kind=str(point.kind),
        classifier=digest,
        **place,
    )
