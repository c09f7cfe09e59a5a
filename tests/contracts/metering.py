"""Contracts on made ledgers: points of the control plane, labels and usage in 5 minutes, and the services that measure them.

Owns the shape in which tests of contracts say what was counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.reports.filling import NOON, KnownVersion, MeteredRecord, fill, version_id
from tests.support.control_values import OPERATOR
from venturi.adapters.store.store import Store
from venturi.core.contracts.settling import Measured
from venturi.core.contracts.terms import Contract, Member, MemberKind, PercentileMeasure, Terms, VolumeMeasure
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.interval import SECOND, Nanoseconds, parse_time
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import InterfacePlace, ObservationPoint, PointKind
from venturi.services.contracts.keeping import ContractControl, NewContract
from venturi.services.contracts.measuring import ContractMeasures

IN, OUT, UNKNOWN = DirectionCode.INGRESS, DirectionCode.EGRESS, DirectionCode.UNKNOWN
EDGE = "edge"
MONTHS_LATER = parse_time("2026-11-29T00:00:00Z")


def seconds(text: str) -> int:
    """Give a time as records have it: seconds after noon."""
    return int(parse_time(text) // SECOND) - NOON


def label(number: int) -> Member:
    return Member(kind=MemberKind.LABEL, id=version_id(number))


def point(number: int) -> Member:
    return Member(kind=MemberKind.POINT, id=version_id(number))


def project(name: str) -> Member:
    return Member(kind=MemberKind.PROJECT, id=name)


def terms(*members: Member, measure: PercentileMeasure | VolumeMeasure | None = None, **others: Any) -> Terms:  # noqa: ANN401 - fields of terms
    """Say a contract's terms, by default a percentile in kbit/s."""
    chosen = PercentileMeasure() if measure is None else measure
    unit = "kbit/s" if isinstance(chosen, PercentileMeasure) else "kB"
    return Terms(**({"boundary": EDGE, "members": members, "measure": chosen, "unit": unit} | others))


@dataclass
class ContractsOfTests:
    """The services of contracts on a store, by a clock that stands still."""

    store: Store
    database: str
    now: Nanoseconds = field(default_factory=lambda: MONTHS_LATER)

    @property
    def control(self) -> ContractControl:
        return ContractControl(self.store, lambda: self.now)

    @property
    def measures(self) -> ContractMeasures:
        return ContractMeasures(self.store, lambda: self.now)

    def meter(self, labels: Sequence[KnownVersion], points: Sequence[KnownVersion], records: Iterable[MeteredRecord]) -> None:
        """Have labels and points in the control plane, and in the ledger what was counted."""
        with self.store.writing(OPERATOR) as writer:
            writer.labels.insert(
                [
                    MeteringLabel(
                        id=version_id(each.of or each.number), name=f"l{each.number}", project_id=each.project_id, shared=each.shared
                    )
                    for each in labels
                ]
            )
            for each in points:
                place = InterfacePlace(host="edge-1", device=f"eth{each.number}")
                writer.points.insert(
                    ObservationPoint(
                        id=version_id(each.of or each.number),
                        name=f"point {each.number}",
                        kind=PointKind.INTERFACE,
                        project_id=each.project_id,
                        shared=each.shared,
                        place=place,
                        named_boundary=each.boundary,
                    )
                )
        fill(self.database, labels, points, list(records))

    def create(
        self,
        said: Terms,
        lasting: tuple[str, str | None] = ("2026-01-01", None),
        *,
        caller: Principal = OPERATOR,
        project_id: str = "p1",
        name: str = "c",
        **others: Any,  # noqa: ANN401 - fields of a contract
    ) -> Contract:
        """Make a contract that lasts between two times."""
        begins_at, ends_at = parse_time(lasting[0]), None if lasting[1] is None else parse_time(lasting[1])
        asked = NewContract(name=name, terms=said, project_id=project_id, begins_at=begins_at, ends_at=ends_at, **others)
        return self.control.create(caller, asked)

    def measure(
        self, contract: Contract, period: str = "2026-03", *, caller: Principal = OPERATOR, accept_missing: bool = False
    ) -> Measured:
        return self.measures.measure(caller, contract.id, period, accept_missing=accept_missing)
