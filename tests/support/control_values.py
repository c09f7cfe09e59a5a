"""Labels, rules and points for tests of what keeps and serves them.

Owns defaults and spellings that keep a table of cases short.
"""

import uuid

from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import InterfacePlace, ObservationPoint, PointKind, PointPlace
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.given_rule import GivenRule
from venturi.core.rules.rule_fields import RuleFields

OPERATOR = Principal(user_id="operator", project_id="operators", roles=IMPLIED_ROLES[Role.ADMIN])
"""A caller who may do anything."""


def new_id() -> str:
    """Give an identifier that nothing has."""
    return str(uuid.uuid4())


def make_label(name: str = "web", *, project_id: str = "p1", description: str = "", shared: bool = False) -> MeteringLabel:
    """Make a label with an id of its own."""
    return MeteringLabel(id=new_id(), name=name, project_id=project_id, description=description, shared=shared)


def make_given_rule(label_id: str, spelled: str) -> GivenRule:
    """Make a rule of a spelling such as ``ingress remote 10.0.0.0/8`` or ``egress excluded source 10.0.0.1``."""
    words = spelled.split()
    prefixes = {side: Prefix.parse(words[words.index(side) + 1]) for side in ("remote", "source", "destination") if side in words}
    fields = RuleFields(
        Direction(words[0]), "excluded" in words, prefixes.get("remote"), prefixes.get("source"), prefixes.get("destination")
    )
    return GivenRule(new_id(), label_id, fields)


def make_point(place: PointPlace | None = None, *, name: str = "uplink", project_id: str = "p1", shared: bool = False) -> ObservationPoint:
    """Make a point with an id of its own, by default at an interface of a host ``h1``."""
    kinds = {"InterfacePlace": PointKind.INTERFACE, "RouterPlace": PointKind.ROUTER, "ExporterPlace": PointKind.EXPORTER}
    chosen = place or InterfacePlace(host="h1", device="eth0")
    return ObservationPoint(id=new_id(), name=name, kind=kinds[type(chosen).__name__], project_id=project_id, shared=shared, place=chosen)
