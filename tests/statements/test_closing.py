"""Periods are closed into statements that say all that they are of, and nothing closed changes; on every database."""

from fractions import Fraction

import pytest
from sqlalchemy import delete, update

from tests.statements.stating import PERCENTILE, StatementsOfTests, sample, terms
from tests.support.control_values import OPERATOR
from tests.support.databases import writing_connection
from venturi.adapters.store.schema.statement_tables import STATEMENT_PERIODS, STATEMENT_RENDERINGS, STATEMENTS
from venturi.adapters.store.store import Store
from venturi.core.domain.errors import InvalidPeriodError, StatementRefusedError, VenturiError
from venturi.core.domain.interval import Nanoseconds, parse_time
from venturi.core.statements.document import StatementKind, to_octets
from venturi.services.contracts.keeping import ContractChanges

OCTETS = [37_500 * each for each in range(1, 13)]


@pytest.fixture
def stating(store: Store) -> StatementsOfTests:
    return StatementsOfTests(store)


def test_a_statement_says_what_it_is_of(stating: StatementsOfTests) -> None:
    contract = stating.contract()
    posting = stating.meter(0, OCTETS)
    kept = stating.close(contract, "2026-01")
    document = stating.document(kept.number)
    measurement = document.measurement
    assert measurement is not None
    assert (document.number, document.kind, document.contract.name) == ("1", "statement", "c")
    assert [(each.kind, each.name) for each in document.members] == [("label", "web")]
    assert (measurement.period.start, measurement.period.end) == ("2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z")
    assert measurement.samples.ingress == [str(each) for each in OCTETS]
    assert (measurement.known, measurement.missing, measurement.deciding and measurement.deciding.position) == ("12", "0", "9")
    assert measurement.figure == "9.000"
    assert [(line.name, line.quantity, line.price, line.amount) for line in measurement.lines] == [
        ("commit", "1", "2.5", "2.50"),
        ("overage", "8", "4", "32.00"),
    ]
    assert (document.total, kept.total, document.currency) == ("34.50", "34.50", "CHF")
    assert [(each.revision, each.classifier) for each in measurement.revisions] == [("7", "b" * 64)]
    assert measurement.postings.count == "1"
    assert document.ledger.posting == str(posting)
    assert (document.head, document.proof) == (None, None)
    assert stating.difference(kept.number) is None


def test_periods_are_numbered_without_a_gap(stating: StatementsOfTests) -> None:
    contracts = [stating.contract(name=name) for name in "abc"]
    stating.meter(0, OCTETS)
    closed = stating.control.close_all(OPERATOR, "2026-01")
    assert [kept.number for kept in closed.closed] == [1, 2, 3]
    assert {kept.contract_id for kept in closed.closed} == {contract.id for contract in contracts}
    again = stating.control.close_all(OPERATOR, "2026-01")
    assert [(each.contract.name, each.sentence) for each in sorted(again.refused, key=lambda each: each.contract.name)] == [
        (name, f"2026-01 of contract '{name}' is closed by statement {number}")
        for name, number in sorted((kept.contract, kept.number) for kept in closed.closed)
    ]
    assert stating.close(stating.contract(name="d"), "2026-01").number == 4


def test_what_is_doubtful_must_be_accepted_by_name(stating: StatementsOfTests) -> None:
    contract = stating.contract()
    stating.meter(0, OCTETS[:10])
    stating.meter(11, OCTETS[11:])
    name = "gap:uplink:2026-01-31T23:50:00Z"
    assert [finding.name for finding in stating.control.check(OPERATOR, contract.id, "2026-01").findings] == [name]
    with pytest.raises(StatementRefusedError, match=name):
        stating.close(contract, "2026-01")
    kept = stating.close(contract, "2026-01", name)
    document = stating.document(kept.number)
    assert [(each.name, each.reason) for each in document.acceptances] == [(name, "looked at")]
    assert document.measurement is not None
    assert [(lack.point, lack.state, lack.start, lack.end) for lack in document.measurement.coverage] == [
        ("uplink", "gap", "2026-01-31T23:50:00Z", "2026-01-31T23:55:00Z")
    ]
    assert document.measurement.samples.missing == [["10", "10"]]


def test_a_period_that_is_not_over_is_not_closed(stating: StatementsOfTests) -> None:
    contract = stating.contract(ends=None)
    stating.meter(0, OCTETS)
    stating.now = parse_time("2026-01-31T23:58:00Z")
    with pytest.raises(StatementRefusedError, match="period-not-over"):
        stating.close(contract, "2026-01", "period-not-over")
    with pytest.raises(InvalidPeriodError):
        stating.close(contract, "2025-12")


def test_nothing_that_is_closed_changes(stating: StatementsOfTests, database: str) -> None:
    contract = stating.contract()
    stating.meter(0, OCTETS)
    kept = stating.close(contract, "2026-01")
    stating.shown.render(OPERATOR, kept.number, "csv", lambda shown: to_octets(shown.document))
    before = stating.document(kept.number)
    for table in (STATEMENTS, STATEMENT_PERIODS, STATEMENT_RENDERINGS):
        for statement in (delete(table), update(table).values(number=9)):
            with pytest.raises(Exception, match="append-only"), writing_connection(database) as connection:
                connection.execute(statement)
    assert stating.document(kept.number) == before
    with pytest.raises(StatementRefusedError, match="has statements"):
        stating.contracts.delete(OPERATOR, contract.id)
    with pytest.raises(VenturiError, match="currency: there are statements in CHF"):
        stating.contracts.update(OPERATOR, contract.id, ContractChanges(terms={"currency": "EUR"}))


def test_a_void_cancels_and_the_period_can_be_closed_again(stating: StatementsOfTests) -> None:
    contract = stating.contract()
    stating.meter(0, OCTETS)
    first = stating.close(contract, "2026-01")
    void = stating.control.void(OPERATOR, first.number, "a wrong price")
    assert (void.number, void.kind, void.total, void.voids) == (2, StatementKind.VOID, "-34.50", 1)
    for number, sentence in ((1, "is cancelled by statement 2"), (2, "cancels statement 1")):
        with pytest.raises(StatementRefusedError, match=sentence):
            stating.control.void(OPERATOR, number, "again")
    again = stating.close(contract, "2026-01")
    assert (again.number, again.total) == (3, "34.50")
    totals = [stating.document(number).total for number in (1, 2, 3)]
    assert sum(Fraction(each or 0) for each in totals) == Fraction("34.5")


def test_later_usage_becomes_an_adjustment_with_its_postings(stating: StatementsOfTests) -> None:
    contract = stating.contract(ends="2026-02-01T01:00:00Z")
    stating.meter(0, OCTETS)
    first = stating.close(contract, "2026-01")
    stating.meter(12, OCTETS)
    late = stating.correct(1, 0, 37_500 * 100)
    second = stating.close(contract, "2026-02")
    document = stating.document(second.number)
    adjustment = document.adjustments[0]
    assert (adjustment.statement, adjustment.billed) == ("1", "34.50")
    assert str(late) in adjustment.postings
    changed = adjustment.measurement
    assert Fraction(adjustment.difference or 0) == Fraction(changed.total or 0) - Fraction("34.5")
    assert Fraction(document.total or 0) == Fraction(document.measurement.total) + Fraction(adjustment.difference)  # type: ignore[union-attr, arg-type]
    assert stating.difference(first.number) is None
    assert stating.difference(second.number) is None
    with pytest.raises(StatementRefusedError, match="void that first"):
        stating.control.void(OPERATOR, first.number, "wrong")


def test_a_contract_that_ended_gets_a_closing_statement_with_adjustments_only(stating: StatementsOfTests) -> None:
    contract = stating.contract(ends="2026-02-01T00:00:00Z")
    stating.meter(0, OCTETS)
    stating.close(contract, "2026-01")
    with pytest.raises(StatementRefusedError, match="there is nothing to adjust"):
        stating.close(contract, "2026-02")
    stating.correct(1, 7, 37_500 * 3)
    closing = stating.close(contract, "2026-02")
    document = stating.document(closing.number)
    assert (closing.kind, document.measurement, len(document.adjustments)) == (StatementKind.CLOSING, None, 1)
    assert stating.difference(closing.number) is None


def test_a_document_is_made_again_with_the_same_octets(stating: StatementsOfTests) -> None:
    contract = stating.contract()
    stating.meter(0, OCTETS)
    kept = stating.close(contract, "2026-01")
    before = stating.document(kept.number)
    other = stating.new_spool("agent-2")
    stating.ledger.post(other.seal(sample(3, 5_000_000), sample(20, 7)))
    stating.correct(1, 4, 1 << 30)
    stating.ledger.roll()
    assert stating.difference(kept.number) is None
    assert to_octets(stating.document(kept.number)) == to_octets(before)
    assert terms().measure == PERCENTILE
    assert Nanoseconds(kept.closed_at) == stating.now
