"""A server that tells hosts their plans, for tests of what the ledger believes of them.

Owns spellings that keep a test short: labels with a rule each, the plan of a host, and what is known of a claim by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec

from tests.support.control_values import OPERATOR, make_given_rule, make_label, make_point
from venturi.adapters.store.ledger.told import Claim, Told, ToldMemory, ToldRecord
from venturi.adapters.store.store import Store
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import ObservationPoint
from venturi.services.control.planning.form import Plan
from venturi.services.control.planning.making import PlanMaker
from venturi.services.control.planning.pieces import plain_stream

LATER = Nanoseconds(1 << 62)
"""A time after every revision."""


@dataclass
class TellingServer:
    """A store, the plans that are made of it, and what is remembered of look-ups."""

    store: Store
    memory: ToldMemory = field(default_factory=ToldMemory)

    @cached_property
    def maker(self) -> PlanMaker:
        """What makes the plans."""
        return PlanMaker(self.store)

    def label(self, name: str = "web", *, rule: str = "ingress source 10.0.0.0/8", **attributes: Any) -> MeteringLabel:  # noqa: ANN401 - as ``make_label``
        """Make a label with one rule."""
        label = make_label(name, **attributes)
        with self.store.writing(OPERATOR) as writer:
            writer.labels.insert([label])
            writer.rules.insert([make_given_rule(label.id, rule)])
        return label

    def point(self, *arguments: Any, **attributes: Any) -> ObservationPoint:  # noqa: ANN401 - as ``make_point``
        """Make a point."""
        point = make_point(*arguments, **attributes)
        with self.store.writing(OPERATOR) as writer:
            writer.points.insert(point)
        return point

    def change(self, *changed: MeteringLabel | ObservationPoint) -> None:
        """Give labels and points new attributes."""
        with self.store.writing(OPERATOR) as writer:
            for each in changed:
                writer.points.update(each) if isinstance(each, ObservationPoint) else writer.labels.update(each)

    def delete(self, *deleted: MeteringLabel | ObservationPoint) -> None:
        """Remove labels and points."""
        with self.store.writing(OPERATOR) as writer:
            for each in deleted:
                assert writer.points.delete(each.id) if isinstance(each, ObservationPoint) else writer.labels.delete(each.id)

    def tell(self, host: str = "h1") -> Plan:
        """Answer the plan of a host."""
        return msgspec.json.decode(b"".join(plain_stream(self.maker.make(host).pieces)), type=Plan)

    def claim(self, host: str, point: ObservationPoint, *labels: MeteringLabel, **changed: Any) -> Claim:  # noqa: ANN401 - fields of a claim
        """Give the claim that an agent of ``host`` can make by its present plan, or by another digest and revision."""
        plan = self.tell(host)
        known = {each.id: each.classifier for each in plan.points}
        given: dict[str, Any] = {"classifier": known.get(point.id, ""), "revision": plan.revision, "counted": True, "end": LATER}
        return Claim(point_id=point.id, label_ids=frozenset(label.id for label in labels), **(given | changed))

    def find(self, host: str, *claims: Claim) -> list[Told]:
        """Look claims up."""
        with self.store.posting() as writer:
            return ToldRecord(writer.connection, self.memory).find(host, claims)

    def ask(self, host: str, claim: Claim, **changed: Any) -> Told:  # noqa: ANN401 - fields of a claim
        """Look one claim up, and see that what is remembered does not change the answer."""
        claim = replace(claim, **changed)
        found = self.find(host, claim)[0]
        assert self.find(host, claim)[0] == found
        self.memory = ToldMemory()
        assert self.find(host, claim)[0] == found
        return found

    def count(self, table: Any) -> int:  # noqa: ANN401 - any table
        """Count the rows of a table."""
        with self.store.reading() as reader:
            return len(reader.connection.execute(table.select()).all())


def names(told: Told, labels: Sequence[MeteringLabel]) -> list[str]:
    """Give what labels are called in an answer."""
    return [told.labels[label.id].name for label in labels]
