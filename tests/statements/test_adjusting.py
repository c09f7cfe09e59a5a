"""Any history of late, corrected and held usage gives statements that add up to what one statement at the end would say."""

import random
from contextlib import suppress
from fractions import Fraction

import pytest

from tests.statements.stating import CREDITED, StatementsOfTests, sample, terms
from tests.support.control_values import OPERATOR
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.adapters.store.store import Store
from venturi.core.contracts.terms import Contract, Of, PercentileMeasure, Tiers, VolumeMeasure
from venturi.core.domain.errors import StatementRefusedError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.statements.document import SignedStatement, digest_of, to_octets
from venturi.core.statements.verifying import check_statement
from venturi.services.contracts.keeping import ContractChanges
from venturi.services.statements.closing import Acceptance

SAMPLES = 12
MONTHS = ("2026-01", "2026-02")
TOO_MUCH = 1 << 50
"""Octets that no line carries in 5 minutes: what counted them is held."""


class History:
    """Draws what happens to a ledger, and closes whatever is doubtful with a reason."""

    def __init__(self, stating: StatementsOfTests, seed: int) -> None:
        self.stating = stating
        self.chance = random.Random(seed)  # noqa: S311 - the choice of a test
        self.free = list(range(2 * SAMPLES))
        self.posted: list[tuple[int, int]] = []
        self.held: list[int] = []

    def happen(self) -> None:
        kind = self.chance.choice(("usage", "usage", "usage", "other agent", "correction", "held", "decision", "roll"))
        if kind == "usage" and self.free:
            place = self.free.pop(self.chance.randrange(len(self.free)))
            self.posted.append((self.stating.meter(place, [self.chance.randrange(1, 10**7)]), 0))
        elif kind == "other agent":
            self.stating.ledger.post(self.stating.new_spool("agent-2").seal(sample(self.chance.randrange(2 * SAMPLES), 10**6)))
        elif kind == "correction" and self.posted:
            posting, place = self.chance.choice(self.posted)
            self.stating.correct(posting, place, self.chance.randrange(1, 10**6))
        elif kind == "held" and self.free:
            self.held.append(self.stating.meter(self.free.pop(self.chance.randrange(len(self.free))), [TOO_MUCH]))
        elif kind == "decision" and self.held:
            decide = self.chance.choice((self.stating.ledger.held.accept, self.stating.ledger.held.reject))
            decide(OPERATOR, "looked at", HeldSelection(positions=[(self.held.pop(), 0)]))
        elif kind == "roll":
            self.stating.ledger.roll()

    def close(self, contract: Contract, period: str) -> int:
        """Close a period and accept whatever is doubtful; give the number."""
        findings = self.stating.control.check(OPERATOR, contract.id, period).findings
        accepted = [Acceptance(finding.name, "drawn by chance") for finding in findings]
        return self.stating.control.close(OPERATOR, contract.id, period, accepted).number


SAID = [
    terms(PercentileMeasure(percentile="75", of=Of.MAX, commit="1", commit_price="2.5", burst_price="4", least_known="50")),
    terms(PercentileMeasure(percentile="50", of=Of.MAX_OF_PERCENTILES, commit_price="1", burst_price="0.37", least_known="0")),
    CREDITED,
    terms(VolumeMeasure(included="1", tiering=Tiers.FLAT, tiers=CREDITED.measure.tiers)),  # type: ignore[union-attr] # a volume
]


@pytest.mark.parametrize("seed", range(3))
def test_statements_add_up_to_what_one_at_the_end_says(store: Store, seed: int) -> None:
    stating = StatementsOfTests(store)
    history = History(stating, seed)
    contracts = [stating.contract(said, name=f"c{number}") for number, said in enumerate(SAID)]
    for _ in range(12):
        history.happen()
    numbers = [[history.close(contract, "2026-01")] for contract in contracts]
    dearer = ContractChanges(terms={"measure": VolumeMeasure(included="0")}, takes_effect="2026-02")
    stating.contracts.update(OPERATOR, contracts[3].id, dearer)
    for period in ("2026-02", "2026-03", "2026-04"):
        for _ in range(8):
            history.happen()
        stating.now = Nanoseconds(stating.now + 1)
        for contract, some in zip(contracts, numbers, strict=True):
            if period in MONTHS:
                some.append(history.close(contract, period))
                continue
            with suppress(StatementRefusedError):  # of a contract that ended, there may be nothing to adjust
                some.append(stating.close(contract, period).number)
    assert any(stating.document(number).adjustments for some in numbers for number in some)
    for contract, some in zip(contracts, numbers, strict=True):
        billed = sum(Fraction(stating.document(number).total or 0) for number in some)
        for number in reversed(some):
            stating.control.void(OPERATOR, number, "to be made anew")
        anew = [stating.document(history.close(contract, month)) for month in MONTHS]
        assert not any(document.adjustments for document in anew)
        assert billed == sum(Fraction(document.total or 0) for document in anew), contract.name
    with store.reading() as reader:
        count = reader.statements.next_number()
    for number in range(1, count):
        document = stating.document(number)
        check_statement(SignedStatement(statement=document, digest=digest_of(to_octets(document)), signature=None))
        assert stating.difference(number) is None, number
