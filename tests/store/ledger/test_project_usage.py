"""What projects used, each packet once, is posted, sealed, corrected, held and accepted with the interval that it is of."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select, update

from tests.support.batches import BEGINNING, SpoolOfTests, make_batch_label, make_batch_point, make_interval, part_usage
from tests.support.control_values import OPERATOR
from tests.support.databases import SQLITE, writing_connection
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.schema.ledger_tables import LEDGER_GENERATIONS, LEDGER_OWNERS, LEDGER_PROJECT_USAGE
from venturi.core.domain.errors import ConflictError, InvalidRequestError, LedgerError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import DirectionTotals, ProjectUsage, encode_batch
from venturi.core.ledger.bins import HOUR
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Resolution, UsageRequest

LABELS = [
    make_batch_label("web", project_id="p1"),
    make_batch_label("mail", project_id="p1"),
    make_batch_label("all", project_id="p2"),
    make_batch_label("any", project_id="p3", shared=True),
]
OVERLAPPING = make_interval(
    totals=[DirectionTotals(0, 10, 1000, 1, 100, 1, 100, 3, 300, 2, 200)],
    usage=[(0, 0, 5, 500), (1, 0, 5, 500), (2, 0, 4, 400), (3, 0, 8, 800)],
    project_usage=encode_batch([ProjectUsage("p1", 0, 5, 500, 2, 200), ProjectUsage("p2", 0, 4, 400, 1, 100)]),
)
"""Of ten packets three are of p1 and p2, two of p1 alone, one of p2 alone, two of a shared label alone."""


def entries(ledger: LedgerOfTests, posting: int) -> list[tuple[object, ...]]:
    table = LEDGER_PROJECT_USAGE.c
    names = table.ordinal, table.interval_ordinal, LEDGER_OWNERS.c.project_id, table.direction
    columns = *names, table.packets, table.octets, table.alone_packets, table.alone_octets
    found = select(*columns).join(LEDGER_OWNERS, LEDGER_OWNERS.c.id == table.owner).where(table.posting == posting)
    return [tuple(row) for row in ledger.rows(found.order_by(table.ordinal))]


def test_it_is_posted_and_sealed_behind_the_usage_of_labels(ledger: LedgerOfTests, database: str) -> None:
    spool = SpoolOfTests(labels=LABELS)
    ledger.post(spool.seal(OVERLAPPING, make_interval(1, usage=[(0, 0, 1, 100)])))
    assert entries(ledger, 1) == [(6, 0, "p1", 0, 5, 500, 2, 200), (7, 0, "p2", 0, 4, 400, 1, 100)]
    assert ledger.counts_of_rows() == [1, 2, 2, 5, 0, 0, 2]
    assert sorted(bool(row[0]) for row in ledger.rows(select(LEDGER_GENERATIONS.c.parted))) == [False, True]
    for resolution in (300, 3600, 0):
        assert ledger.parts(resolution) == {(0, 0): (3, 300, 2, 200)}
    assert prove_ledger(database).entries == 11


@pytest.mark.parametrize("name", ["packets", "alone_octets", "owner"])
@pytest.mark.parametrize("database_kind", [SQLITE])
def test_a_change_behind_the_ledger_is_found(ledger: LedgerOfTests, database: str, name: str) -> None:
    ledger.post(SpoolOfTests(labels=LABELS).seal(OVERLAPPING))
    with writing_connection(database) as connection:
        connection.exec_driver_sql("DROP TRIGGER ledger_project_usage_unchanged")
        connection.execute(update(LEDGER_PROJECT_USAGE).values({name: LEDGER_PROJECT_USAGE.c[name] + 1}))
    with pytest.raises(LedgerError, match="posting 1 or one of its entries is not what was sealed"):
        prove_ledger(database)


def used(ledger: LedgerOfTests, group_by: Sequence[Grouping] = (Grouping.PROJECT,)) -> dict[tuple[str | None, bool | None], Sequence[int]]:
    """Give what reports say of projects, by project and whether it is of shared labels."""
    request = UsageRequest(start=BEGINNING, end=BEGINNING + HOUR, resolution=Resolution.TOTAL, group_by=tuple(group_by))
    (interval,) = UsageReports(ledger.store, lambda: Nanoseconds(ledger.now)).usage(OPERATOR, request)
    return {(row.group.project_id, row.group.shared): tuple(row.counts) for row in interval.rows}


def test_a_report_by_project_has_each_packet_once(ledger: LedgerOfTests, database: str) -> None:
    expected = {("p1", False): (5, 500, 2, 200, 0), ("p2", False): (4, 400, 1, 100, 0), ("p3", True): (8, 800, 0, 0, 1)}
    ledger.post(SpoolOfTests(labels=LABELS).seal(OVERLAPPING))
    assert used(ledger) == expected
    assert used(ledger, ()) == {(None, False): (9, 900, 3, 300, 1), (None, True): (8, 800, 0, 0, 1)}
    ledger.roll()
    assert used(ledger) == expected
    ledger.correct((1, 6, [-1, -100, *[0] * 10]))
    expected["p1", False] = (4, 400, 2, 200, 0)
    assert used(ledger) == expected
    ledger.roll()
    assert used(ledger) == expected
    prove_ledger(database)


def test_usage_of_an_older_agent_is_marked(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests(labels=LABELS)
    ledger.post(spool.seal(OVERLAPPING, make_interval(1, usage=[(0, 0, 1, 100), (1, 0, 1, 100)])))
    assert used(ledger)["p1", False] == (7, 700, 2, 200, 1)
    assert used(ledger)["p2", False] == (4, 400, 1, 100, 0)


def test_it_is_corrected_with_what_it_holds(ledger: LedgerOfTests, database: str) -> None:
    ledger.post(SpoolOfTests(labels=LABELS).seal(OVERLAPPING))
    alone = [*[0] * 10, -2, -200]
    assert ledger.correct((1, 6, [-1, -100, *alone[2:]]), (1, 1, [0, 0, 0, 0, 0, 0, -1, -100])) == 2
    assert ledger.parts() == {(0, 0): (2, 200, 2, 200)}
    with pytest.raises(ConflictError, match=r"entry 6 of posting 1 would count what cannot be: .*'alone_packets': -2"):
        ledger.correct((1, 6, alone))
    with pytest.raises(InvalidRequestError, match=r"entry 6 of posting 1 has no several_packets$"):
        ledger.correct((1, 6, [0, 0, 0, 0, 0, 0, 1]))
    with pytest.raises(InvalidRequestError, match=r"entry 2 of posting 1 has no alone_packets and no alone_octets$"):
        ledger.correct((1, 2, alone))
    prove_ledger(database)


def test_what_is_held_keeps_it_until_it_is_accepted(ledger: LedgerOfTests, database: str) -> None:
    points = [make_batch_point()]
    first, later = SpoolOfTests(labels=LABELS, points=points), SpoolOfTests(labels=LABELS, points=points)
    ledger.post(first.seal(OVERLAPPING))
    ahead = {"start": ledger.now + 30 * 24 * HOUR, "end": ledger.now + 30 * 24 * HOUR + HOUR}
    ledger.post(later.seal(part_usage(make_interval(usage=[(0, 0, 3, 300), (3, 0, 2, 200)], **ahead), LABELS)))
    assert ledger.held_reasons() == [(2, 0, "in_future")]
    assert ledger.parts() == {(0, 0): (3, 300, 2, 200)}
    ledger.held.accept(OPERATOR, "the clock was right", HeldSelection(agent_ids=["agent-1"]))
    assert [row[1:] for row in entries(ledger, 3)] == [row[1:] for row in entries(ledger, 2)] == [(0, "p1", 0, 3, 300, 3, 300)]
    assert sum(counts[2] for counts in ledger.parts().values()) == 4
    prove_ledger(database)
