"""A correction adds and changes nothing: the entry stays, and every roll-up is the sum of entries as corrected."""

from uuid import UUID

import pytest
from sqlalchemy import event

from tests.support.batches import SpoolOfTests, make_interval
from tests.support.control_values import OPERATOR
from tests.support.ledgers import NOW, LedgerOfTests
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.schema.ledger_tables import LEDGER_CORRECTIONS, LEDGER_LABEL_VERSIONS
from venturi.core.domain.errors import ConflictError
from venturi.services.ledger.correcting import CorrectionLine, CorrectionPosting


def test_roll_ups_follow(ledger: LedgerOfTests, database: str) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(make_interval(57, 7, usage=[(0, 0, 10, 1001)], unmatched=(1, 1))))
    assert ledger.correct((1, 2, (-3, -501)), (1, 1, (-3, -501, -1, -1))) == 2
    assert ledger.usage(spool.labels[0].id) == {(55, 0): (3, 214), (60, 0): (4, 286)}
    assert ledger.usage(spool.labels[0].id, 3600) == {(0, 0): (3, 214), (60, 0): (4, 286)}
    assert {key: counts[:4] for key, counts in ledger.totals(3600).items()} == {(0, 0): (3, 214, 0, 0), (60, 0): (5, 287, 0, 0)}
    assert ledger.counts_of_rows() == [2, 1, 1, 1, 2, 0, 0]
    assert prove_ledger(database).entries == 5


def test_one_after_another_never_makes_a_bin_negative(ledger: LedgerOfTests, database: str) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(make_interval(57, 7, usage=[(0, 0, 1, 1)])))
    for difference in (-1, 1, 6, -3, -4, 11):
        ledger.correct((1, 2, (difference, difference)))
        assert all(min(counts) >= 0 for counts in ledger.usage(spool.labels[0].id).values())
    assert sum(packets for packets, _ in ledger.usage(spool.labels[0].id).values()) == 11
    prove_ledger(database)


def test_one_with_an_id_is_posted_once(ledger: LedgerOfTests, database: str) -> None:
    spool, own, other = SpoolOfTests(), str(UUID(int=1)), str(UUID(int=2))
    ledger.post(spool.seal(make_interval(0, usage=[(0, 0, 10, 1000), (0, 1, 5, 500)])))
    lines = (1, 3, (-3, -300)), (1, 4, (0, -1))
    assert [ledger.correct(*lines, correction_id=name) for name in (own, own, other, own, None)] == [2, 2, 3, 2, 4]
    for changed, reason in ((lines[:1], "counted twice"), (lines[::-1], "counted twice"), (lines, "another")):
        with pytest.raises(ConflictError, match="id: it is that of another correction, posting 2"):
            ledger.correct(*changed, reason=reason, correction_id=own)
    assert ledger.counts_of_rows()[0] == 4
    prove_ledger(database)


def test_what_cannot_be_is_refused_whole(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(make_interval(0, usage=[(0, 0, 10, 1000), (0, 1, 5, 500)])))
    ledger.correct((1, 3, (-4, 0)))
    before = ledger.counts_of_rows(), ledger.usage(spool.labels[0].id)
    with pytest.raises(ConflictError, match="entry 3 of posting 1 would count what cannot be"):
        ledger.correct((1, 4, (-1, 0)), (1, 3, (-7, 0)))
    assert (ledger.counts_of_rows(), ledger.usage(spool.labels[0].id)) == before


def test_versions_of_labels_are_not_read_for_one(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(make_interval(0, usage=[(0, 0, 10, 1000), (0, 1, 5, 500)])))
    statements: list[str] = []
    engines = ledger.store._engines
    assert engines is not None
    event.listen(engines.posters, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    CorrectionPosting(ledger.store, lambda: NOW).post(OPERATOR, "counted twice", [CorrectionLine(1, 3, (-3, -300, *[0] * 10))])
    assert any(LEDGER_CORRECTIONS.name in statement for statement in statements)
    assert [statement for statement in statements if LEDGER_LABEL_VERSIONS.name in statement] == []
