"""Statements on real ledgers: a label at a point, batches and corrections, and contracts of which small parts of months are measured.

Owns the shape in which tests of statements say what was counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.support.batches import BEGINNING, SpoolOfTests, make_interval
from tests.support.control_values import OPERATOR
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.signing import StatementSigner, make_key
from venturi.adapters.store.schema.ledger_tables import LEDGER_USAGE
from venturi.adapters.store.store import Store
from venturi.adapters.store.tables.statements import KeptStatement
from venturi.core.contracts.terms import Contract, Credit, Member, MemberKind, PercentileMeasure, Terms, Tier, VolumeMeasure
from venturi.core.domain.interval import Nanoseconds, parse_time
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import InterfacePlace, ObservationPoint, PointKind
from venturi.core.ledger.batch import BatchLabel, BatchPoint, MeteredInterval
from venturi.core.ledger.bins import DAY
from venturi.core.statements.document import StatementDocument, read_document
from venturi.services.contracts.keeping import ContractControl, NewContract
from venturi.services.ledger.configuration import LedgerConfig
from venturi.services.statements.closing import Acceptance, StatementControl
from venturi.services.statements.keeping import Statements
from venturi.services.statements.verifying import StatementVerifying

EDGE = "edge"
LABEL_ID, POINT_ID = (f"00000000-0000-4000-8000-{number:012d}" for number in (1, 2))
BEGINS = "2026-01-31T23:00:00Z"
"""When contracts of tests begin: an hour of January, 12 samples, then whole hours of February."""

FIRST_MINUTE = 31 * 24 * 60 - 60
"""The same as minutes since the beginning of batches."""

PERCENTILE = PercentileMeasure(percentile="75", commit="1", commit_price="2.5", burst_price="4", least_known="50")
VOLUME = VolumeMeasure(included="1", tiers=(Tier(price="0.5", up_to="10"), Tier(price="0.25")))


def terms(measure: PercentileMeasure | VolumeMeasure = PERCENTILE, **others: Any) -> Terms:  # noqa: ANN401 - fields of terms
    unit = "kbit/s" if isinstance(measure, PercentileMeasure) else "kB"
    member = Member(kind=MemberKind.LABEL, id=LABEL_ID)
    return Terms(**({"boundary": EDGE, "members": (member,), "measure": measure, "unit": unit, "currency": "CHF"} | others))


CREDITED = terms(VOLUME, minimum_charge="3", credits=(Credit(name="outage", amount="0.5"),))


@dataclass
class StatementsOfTests:
    """The services of statements on a store, by a clock that tests move."""

    store: Store
    now: Nanoseconds = field(default_factory=lambda: Nanoseconds(BEGINNING + 90 * DAY))
    signer: StatementSigner | None = None

    def __post_init__(self) -> None:
        """Have a ledger, a label and a point."""
        config = LedgerConfig(plan_file_hosts=("edge-1",))
        self.ledger = LedgerOfTests(self.store, config, now=self.now)
        with self.store.writing(OPERATOR) as writer:
            writer.labels.insert([MeteringLabel(id=LABEL_ID, name="web", project_id="p1", shared=False)])
            place = InterfacePlace(host="edge-1", device="eth0")
            writer.points.insert(
                ObservationPoint(
                    id=POINT_ID, name="uplink", kind=PointKind.INTERFACE, project_id="p1", shared=False, place=place, named_boundary=EDGE
                )
            )
        self.spool = self.new_spool()

    def new_spool(self, agent: str = "agent-1") -> SpoolOfTests:
        return SpoolOfTests(
            agent_id=agent,
            points=[BatchPoint(POINT_ID, "uplink", "p1", False, "interface")],
            labels=[BatchLabel(LABEL_ID, "web", "p1", False)],
        )

    @property
    def control(self) -> StatementControl:
        return StatementControl(self.store, lambda: self.now, self.signer)

    @property
    def contracts(self) -> ContractControl:
        return ContractControl(self.store, lambda: self.now)

    @property
    def shown(self) -> Statements:
        return Statements(self.store, lambda: self.now)

    def contract(self, said: Terms | None = None, *, name: str = "c", ends: str | None = "2026-02-01T01:00:00Z") -> Contract:
        ends_at = None if ends is None else parse_time(ends)
        asked = NewContract(name=name, terms=said or terms(), project_id="p1", begins_at=parse_time(BEGINS), ends_at=ends_at)
        return self.contracts.create(OPERATOR, asked)

    def meter(self, first: int, octets: Sequence[int]) -> int:
        """Post a batch with samples of 5 minutes from a place on, counted from the contract's begin; give its posting."""
        self.ledger.post(self.spool.seal(*(sample(first + place, each) for place, each in enumerate(octets))))
        return self.latest()

    def correct(self, posting: int, place: int, octets: int) -> int:
        """Correct what entered in a sample that a batch of samples posted, by its place in it; give the posting of the correction."""
        of_posting = LEDGER_USAGE.c.posting == posting, LEDGER_USAGE.c.direction == 0
        ordinals = self.ledger.rows(select(LEDGER_USAGE.c.ordinal).where(*of_posting).order_by(LEDGER_USAGE.c.ordinal))
        return self.ledger.correct((posting, int(ordinals[place][0]), (0, octets)))

    def latest(self) -> int:
        with self.store.reading() as reader:
            return reader.ledger.latest_posting()

    def close(self, contract: Contract, period: str, *accepted: str) -> KeptStatement:
        return self.control.close(OPERATOR, contract.id, period, [Acceptance(name, "looked at") for name in accepted])

    def document(self, number: int) -> StatementDocument:
        with self.store.reading() as reader:
            return read_document(reader.statements.document(number))

    def difference(self, number: int) -> str | None:
        return StatementVerifying(self.store).verify(OPERATOR, number).difference


def sample(place: int, octets: int, **others: Any) -> MeteredInterval:  # noqa: ANN401 - fields of an interval
    """Give an interval of 5 minutes in which a label counted octets that entered, and a tenth of them left."""
    usage = [(0, 0, 1, octets), (0, 1, 1, octets // 10)]
    return make_interval(FIRST_MINUTE + 5 * place, 5, usage=usage, **others)


def write_key(folder: Path) -> tuple[Path, Path]:
    """Make a key in a folder; give its files, the private one and the public one."""
    return folder / "key", make_key(folder / "key")
