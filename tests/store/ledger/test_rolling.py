"""The roller folds each posting once, whatever happens to it, and no report tells whether a posting is folded yet."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, event, func, select, update

from tests.reports.test_long_intervals import FAST, LABELS, POINTS, sorted_answer
from tests.store.varied_ledger import fill
from tests.support.batches import BEGINNING, SpoolOfTests, make_interval
from tests.support.control_values import OPERATOR, make_label
from tests.support.databases import ON_MARIADB, ON_POSTGRESQL, writing_connection
from tests.support.ledgers import NOW, LedgerOfTests
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.ledger.rolling import watermark
from venturi.adapters.store.ledger.rolling.entries import Postings
from venturi.adapters.store.ledger.rolling.rebuilding import rebuild_roll_ups
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_LABEL_BINS,
    LEDGER_LONG_INTERVALS,
    LEDGER_OWNER_BINS,
    LEDGER_POINT_BINS,
    LEDGER_ROLLER,
)
from venturi.adapters.store.store import Store
from venturi.core.domain.errors import LeaseLostError, LedgerError, StoreError
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.batch import HIGHEST
from venturi.core.ledger.bins import DAY, HOUR
from venturi.core.ledger.calendar import Calendar
from venturi.services.ledger.rolling import Roller, RollerAlarm, RollerConfig
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import POINT_GROUPINGS, Grouping, Resolution, UsageRequest, align

LATER = Nanoseconds(BEGINNING + 400 * DAY)
WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]


class KilledError(Exception):
    """The roller ended here."""


@pytest.fixture
def fast(store: Store) -> LedgerOfTests:
    """An empty ledger on each kind of database, whose lines carry much."""
    return LedgerOfTests(store, FAST)


ALL = tuple(Grouping)
KATHMANDU = Calendar("Asia/Kathmandu")
"""A zone whose days begin within an hour of UTC."""
QUESTIONS = (
    (Resolution.FIVE_MINUTES, BEGINNING - HOUR, BEGINNING + 5 * HOUR, (Grouping.PROJECT,)),
    (Resolution.FIVE_MINUTES, BEGINNING - HOUR, BEGINNING + 2 * HOUR, ALL),
    (Resolution.HOUR, BEGINNING - HOUR, BEGINNING + 2 * DAY, ALL),
    (Resolution.DAY, BEGINNING - DAY, BEGINNING + 6 * DAY, (Grouping.PROJECT,)),
    (Resolution.DAY, BEGINNING - DAY, BEGINNING + 6 * DAY, ALL),
    (Resolution.TOTAL, BEGINNING - 25 * HOUR - 600 * SECOND, BEGINNING + 3 * DAY + 35 * 60 * SECOND, ALL),
)
IN_SHORT = (QUESTIONS[1], QUESTIONS[3], QUESTIONS[5])


def answers(ledger: LedgerOfTests, questions: Sequence[tuple[Resolution, int, int, tuple[Grouping, ...]]] = QUESTIONS) -> list[object]:
    """Give what reports of usage and of the totals of points say, in a form without the order of rows."""
    reports = UsageReports(ledger.store, lambda: LATER)
    found: list[object] = []
    for resolution, start, end, group_by in questions:
        request = UsageRequest(start=start, end=end, resolution=resolution, group_by=group_by)
        found.append((str(resolution), group_by, sorted_answer(reports.usage(OPERATOR, request))))
        if resolution is Resolution.DAY:
            bounds = align(start, end, resolution, KATHMANDU)
            request = UsageRequest(start=bounds[0], end=bounds[1], resolution=resolution, group_by=group_by, calendar=KATHMANDU)
            found.append(("a day in Kathmandu", group_by, sorted_answer(reports.usage(OPERATOR, request))))
        if group_by == ALL:
            request = UsageRequest(start=start, end=end, resolution=resolution, group_by=POINT_GROUPINGS)
            found.append((str(resolution), sorted_answer(reports.point_totals(OPERATOR, request))))
    return found


def latest(ledger: LedgerOfTests) -> int:
    return ledger.counts_of_rows()[0]


def rolled(ledger: LedgerOfTests) -> int:
    return int(ledger.rows(select(LEDGER_ROLLER.c.rolled))[0][0])


@pytest.mark.parametrize("seed", range(2))
def test_answers_are_the_same_at_every_watermark(fast: LedgerOfTests, database: str, seed: int) -> None:
    fill(fast, seed)
    expected = answers(fast, IN_SHORT)
    one_at_a_time = Roller(fast.store, lambda: fast.now, fast._alarm, config=RollerConfig(at_once=1, at_once_embedded=1))
    for number in range(latest(fast)):
        assert one_at_a_time.roll()
        assert rolled(fast) == number + 1
        assert answers(fast, IN_SHORT) == expected, f"at the watermark {number + 1}"
        prove_ledger(database)
    assert not one_at_a_time.roll()


@pytest.mark.parametrize("seed", range(2, 5))
def test_folding_all_at_once_gives_the_same(fast: LedgerOfTests, database: str, seed: int) -> None:
    fill(fast, seed)
    expected = answers(fast)
    fast.roll()
    assert (rolled(fast), answers(fast)) == (latest(fast), expected)
    prove_ledger(database)


def statements_of(engine: Engine, after: int) -> Iterator[None]:
    """Have the roller killed after so many statements."""
    seen = 0

    def note(*_arguments: object) -> None:
        nonlocal seen
        seen += 1
        if seen > after:
            raise KilledError

    event.listen(engine, "after_cursor_execute", note)
    yield
    event.remove(engine, "after_cursor_execute", note)


def test_a_roller_that_is_killed_anywhere_leaves_all_or_nothing(fast: LedgerOfTests, database: str) -> None:
    fill(fast, 1)
    expected = answers(fast)
    engine, after, died = fast.store._started.rollers, 0, True
    while died:
        watching = statements_of(engine, after)
        next(watching)
        died = False
        try:
            fast.roller.roll()
        except KilledError:
            died = True
        with suppress(StopIteration):
            next(watching)
        assert rolled(fast) in ({0} if died else {latest(fast)})
        after += 1
    assert after > 10
    assert answers(fast) == expected
    prove_ledger(database)


def test_of_two_rollers_one_rolls_and_the_other_takes_over(ledger: LedgerOfTests, database: str) -> None:
    ledger.post(*(SpoolOfTests(spool_id=f"{number}" * 32).seal(make_interval(10 * number, usage=WEB)) for number in range(1, 4)))
    one_by_one, at = RollerConfig(at_once=1, at_once_embedded=1), [int(NOW)]
    first, second = (Roller(ledger.store, lambda: Nanoseconds(at[0]), ledger._alarm, config=one_by_one) for _ in range(2))
    assert first.roll()
    assert not second.roll(), "the first has the lease"
    at[0] += watermark.LEASE + 1
    assert second.roll(), "the first let its lease run out"
    assert rolled(ledger) == 2
    assert not first.roll(), "what it does by a lease that it lost fails"
    assert rolled(ledger) == 2
    assert second.roll()
    prove_ledger(database)


def test_a_lost_lease_undoes_what_was_folded(ledger: LedgerOfTests, database: str) -> None:
    ledger.post(SpoolOfTests().seal(make_interval(0, usage=WEB)))
    with ledger.store.rolling() as writer:
        lease = writer.take_lease("first", NOW)
    assert lease is not None
    with ledger.store.rolling() as writer:
        assert writer.take_lease("second", Nanoseconds(NOW + 1)) is None
    with ledger.store.rolling() as writer:
        assert writer.take_lease("second", Nanoseconds(NOW + watermark.LEASE + 1)) is not None
    with pytest.raises(LeaseLostError), ledger.store.rolling() as writer:
        writer.fold(lease, Postings(0, 1), NOW)
    assert rolled(ledger) == 0
    prove_ledger(database)


def test_what_no_bin_can_hold_is_kept_apart_and_the_rest_is_folded(fast: LedgerOfTests, database: str) -> None:
    spool = SpoolOfTests(points=POINTS, labels=LABELS)
    fast.post(spool.seal(make_interval(0, usage=[(0, 0, 1, 1), (1, 0, 1, 1)])), spool.seal(make_interval(1, usage=WEB)))
    fast.roll()
    fast.correct((1, 1, (0, HIGHEST - 2)), (1, 2, (0, HIGHEST - 1)), (1, 3, (0, HIGHEST - 1)))
    fast.post(spool.seal(make_interval(2, usage=[(1, 0, 3, 30)])))
    fast.correct((1, 2, (0, -5)))
    expected = answers(fast)
    fast.roll()
    assert rolled(fast) == latest(fast) == 5
    assert fast.alarms == [RollerAlarm.APART]
    assert [tuple(row) for row in fast.rows(select(LEDGER_LONG_INTERVALS.c.posting, LEDGER_LONG_INTERVALS.c.ordinal))] == [(1, 0)]
    assert answers(fast) == expected
    prove_ledger(database)
    request = UsageRequest(start=BEGINNING, end=BEGINNING + HOUR, resolution=Resolution.TOTAL, group_by=(Grouping.PROJECT,))
    (interval,) = UsageReports(fast.store, lambda: LATER).usage(OPERATOR, request)
    assert [row.counts[1] for row in interval.rows] == [2 * HIGHEST - 5 + 1400 + 30]


def test_a_posting_that_fails_for_whatever_reason_lets_others_pass(sqlite_ledger: LedgerOfTests, tmp_path: Path) -> None:
    ledger = sqlite_ledger
    spool = SpoolOfTests()
    ledger.post(*(spool.seal(make_interval(5 * number, usage=[(0, 0, 1, octets)])) for number, octets in enumerate((500, 777, 600))))
    expected = answers(ledger, IN_SHORT)
    refuse = "CREATE TRIGGER odd BEFORE INSERT ON ledger_label_bins WHEN NEW.octets = 777 BEGIN SELECT RAISE(ABORT, 'odd'); END"
    with ledger.store.rolling() as writer:
        writer._connection.exec_driver_sql(refuse)
    for _ in range(2):
        with pytest.raises(StoreError, match="odd"):
            ledger.roller.roll()
    while rolled(ledger) < 3:
        with suppress(StoreError):
            ledger.roller.roll()
    assert (rolled(ledger), ledger.alarms) == (3, [RollerAlarm.APART])
    assert "odd" in ledger.sentences[0]
    assert [row[0] for row in ledger.rows(select(LEDGER_LONG_INTERVALS.c.posting))] == [2]
    assert answers(ledger, IN_SHORT) == expected
    prove_ledger(f"sqlite:///{tmp_path / 'venturi.db'}")


def test_a_reader_adds_a_bounded_tail_and_says_so(ledger: LedgerOfTests, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(make_interval(0, usage=WEB)))
    ledger.now = Nanoseconds(NOW + SECOND)
    ledger.post(spool.seal(make_interval(1, usage=WEB)))
    request = UsageRequest(start=BEGINNING, end=BEGINNING + HOUR, resolution=Resolution.TOTAL, group_by=())
    reports = UsageReports(ledger.store, lambda: LATER)
    told = [(interval.rolled_until, interval.rows[0].counts[1]) for interval in reports.usage(OPERATOR, request)]
    assert told == [(None, 2800)]
    monkeypatch.setattr(watermark.read_beyond, "__defaults__", (7, None))
    told = [(interval.rolled_until, interval.rows[0].counts[1]) for interval in reports.usage(OPERATOR, request)]
    assert told == [(ledger.now, 1400)]
    ledger.roll()
    told = [(interval.rolled_until, interval.rows[0].counts[1]) for interval in reports.usage(OPERATOR, request)]
    assert told == [(None, 2800)]


@pytest.mark.parametrize(
    ("posted", "folded"),
    [(0, 60), (59.999, 60), (60, 360), (299, 360), (301, 360), (359.999, 360), (360, 660)],
)
def test_a_posting_is_folded_when_its_bin_is_over_and_what_is_late_is_there(posted: float, folded: float) -> None:
    """In seconds since a border of 5 minutes."""
    at, due = int(NOW + posted * SECOND), int(NOW + folded * SECOND)
    assert watermark.fold_time(at) == due
    assert not at < watermark.fold_border(due - 1)
    assert at < watermark.fold_border(due)


def test_postings_are_folded_when_they_are_due(sqlite_ledger: LedgerOfTests) -> None:
    ledger, at = sqlite_ledger, [int(NOW)]
    roller = Roller(ledger.store, lambda: Nanoseconds(at[0]), ledger._alarm, config=RollerConfig(entries=20, at_once_embedded=1))
    spool = SpoolOfTests()
    for minute, seconds in ((0, 65), (1, 359), (2, 360)):
        ledger.now = Nanoseconds(NOW + seconds * SECOND)
        ledger.post(spool.seal(make_interval(minute, usage=WEB)))
    at[0] = NOW + 359 * SECOND
    assert not roller.roll(due_only=True), "their bin is not over"
    at[0] = NOW + 360 * SECOND
    assert [roller.roll(due_only=True) for _ in range(3)] == [True, True, False], "the third came later"
    assert rolled(ledger) == 2
    ledger.post(*(spool.seal(make_interval(minute, usage=WEB)) for minute in range(3, 7)))
    assert roller.roll(due_only=True), "readers add no more entries than so many"


def test_postings_of_a_clock_that_is_set_back_do_not_wait_for_it(sqlite_ledger: LedgerOfTests) -> None:
    ledger, at = sqlite_ledger, [int(NOW)]
    roller = Roller(ledger.store, lambda: Nanoseconds(at[0]), ledger._alarm)
    ledger.post(SpoolOfTests().seal(make_interval(0, usage=WEB)))
    at[0] = NOW - 60 * SECOND
    assert not roller.roll(due_only=True), "clocks of servers differ a little"
    at[0] -= 1
    assert roller.roll(due_only=True)
    assert rolled(ledger) == 1


def test_a_bin_of_five_minutes_and_its_hour_are_written_once(fast: LedgerOfTests, database: str) -> None:
    """A minute at a time for three hours, by the clock of a server."""
    writes = {(minutes, resolution): 0 for minutes in (0, 55, 60) for resolution in (300, 3600)}
    spool, clock = SpoolOfTests(), [0]
    roller = Roller(fast.store, lambda: Nanoseconds(clock[0]), fast._alarm)
    before: dict[tuple[int, int], object] = {}
    for minute in range(180):
        fast.now = Nanoseconds(BEGINNING + (minute + 1) * 60 * SECOND + 2 * SECOND)
        fast.post(spool.seal(make_interval(minute, usage=WEB)))
        clock[0] = fast.now + 5 * SECOND
        while roller.roll(due_only=True):
            pass
        bins = LEDGER_LABEL_BINS.c
        rows = fast.rows(select(bins.start_at, bins.resolution, func.sum(bins.octets)).group_by(bins.start_at, bins.resolution))
        found = {((int(start) - BEGINNING) // (60 * SECOND), resolution): octets for start, resolution, octets in rows}
        for place in writes:
            writes[place] += found.get(place) != before.get(place)
        before = found
    assert writes == {(0, 300): 1, (55, 300): 1, (60, 300): 1, (0, 3600): 1, (55, 3600): 0, (60, 3600): 1}
    prove_ledger(database)


def test_a_roller_that_is_killed_while_it_closes_leaves_all_or_nothing(fast: LedgerOfTests, database: str) -> None:
    fill(fast, 2)
    expected = answers(fast)
    while rolled(fast) < latest(fast):
        fast.roller.roll()
    assert not fast.rows(select(LEDGER_LABEL_BINS.c.start_at).where(LEDGER_LABEL_BINS.c.resolution != 300))
    engine, after, died = fast.store._started.rollers, 0, True
    while died:
        watching = statements_of(engine, after)
        next(watching)
        died = False
        try:
            assert not fast.roller.roll()
        except KilledError:
            died = True
        with suppress(StopIteration):
            next(watching)
        if after % 6 == 0:
            assert answers(fast) == expected
            prove_ledger(database)
        after += 1
    assert after > 15
    assert answers(fast) == expected
    prove_ledger(database)


def test_what_is_late_is_added_to_hours_and_days_that_are_closed(fast: LedgerOfTests, database: str) -> None:
    spool = SpoolOfTests()
    fast.post(spool.seal(make_interval(0, usage=WEB)))
    fast.roll()
    assert fast.rows(select(LEDGER_ROLLER.c.closed_until))[0][0] == NOW - NOW % HOUR - HOUR * (NOW % HOUR < 60 * SECOND)
    fast.post(spool.seal(make_interval(1, usage=WEB)), spool.seal(make_interval(70, usage=WEB)))
    fast.roll()
    bins = LEDGER_LABEL_BINS.c
    rows = fast.rows(select(bins.resolution, func.sum(bins.octets)).group_by(bins.resolution).order_by(bins.resolution))
    assert [tuple(map(int, row)) for row in rows] == [(0, 4200), (300, 4200), (3600, 4200)]
    prove_ledger(database)


def test_a_correction_that_a_day_might_not_hold_is_kept_apart(fast: LedgerOfTests, database: str) -> None:
    """Before the day is closed, so that closing it never fails."""
    spool = SpoolOfTests(points=POINTS, labels=LABELS)
    fast.post(*(spool.seal(make_interval(5 * number, usage=WEB)) for number in range(3)))
    for number in range(3):
        fast.correct((1 + number, 1, (0, HIGHEST // 2)))
    expected = answers(fast)
    early = Roller(fast.store, lambda: Nanoseconds(BEGINNING), fast._alarm)
    while early.roll():
        pass
    assert fast.alarms == [RollerAlarm.APART] * 3
    fast.roll()
    assert (fast.alarms, answers(fast)) == ([RollerAlarm.APART] * 3, expected)
    prove_ledger(database)


def test_hours_that_no_roll_up_can_hold_are_summed_from_five_minutes(sqlite_ledger: LedgerOfTests) -> None:
    ledger, spool = sqlite_ledger, SpoolOfTests()
    ledger.post(*(spool.seal(make_interval(5 * number, usage=WEB)) for number in range(3)))
    early = Roller(ledger.store, lambda: Nanoseconds(BEGINNING), ledger._alarm)
    assert early.roll()
    with ledger.store.rolling() as writer:
        fine = LEDGER_LABEL_BINS.c.resolution == 300
        writer._connection.execute(update(LEDGER_LABEL_BINS).where(fine).values(octets=HIGHEST))
    ledger.roll()
    ledger.roll()
    assert ledger.alarms == [RollerAlarm.APART]
    assert "before" in ledger.sentences[0]
    request = UsageRequest(start=BEGINNING, end=BEGINNING + HOUR, resolution=Resolution.HOUR, group_by=(Grouping.LABEL,))
    (interval,) = UsageReports(ledger.store, lambda: LATER).usage(OPERATOR, request)
    assert sum(row.counts[1] for row in interval.rows) == 6 * HIGHEST


def test_an_alarm_tells_of_postings_that_wait_long_and_is_cleared(sqlite_ledger: LedgerOfTests) -> None:
    ledger, at, cleared = sqlite_ledger, [int(NOW)], list[str]()
    roller = Roller(ledger.store, lambda: Nanoseconds(at[0]), ledger._alarm, clear=lambda kind, _: cleared.append(kind))
    ledger.post(SpoolOfTests().seal(make_interval(0, usage=WEB)))

    def give_lease_away() -> None:
        with ledger.store.rolling() as writer:
            writer._connection.execute(update(LEDGER_ROLLER).values(holder="another", until=at[0] + 80 * SECOND))

    give_lease_away()
    assert not roller.roll()
    cleared.clear()
    at[0] = watermark.fold_time(NOW) + 120 * SECOND
    give_lease_away()
    assert not roller.roll()
    assert ledger.alarms == []
    at[0] += 1
    give_lease_away()
    assert not roller.roll()
    assert (ledger.alarms, cleared) == ([RollerAlarm.BEHIND], [])
    at[0] += 100 * SECOND
    assert roller.roll()
    assert not roller.roll()
    assert cleared == [RollerAlarm.BEHIND]


@pytest.mark.parametrize("database_kind", [pytest.param("postgresql", marks=ON_POSTGRESQL), pytest.param("mariadb", marks=ON_MARIADB)])
def test_changes_of_labels_and_roll_ups_do_not_wait_for_a_posting(ledger: LedgerOfTests) -> None:
    ledger.post(SpoolOfTests().seal(make_interval(0, usage=WEB)))
    done = list[str]()

    def change() -> None:
        with ledger.store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label()])
        done.append("label")
        ledger.roll()
        done.append("rolled")

    with ledger.store.posting():
        thread = threading.Thread(target=change)
        thread.start()
        thread.join(20.0)
        assert done == ["label", "rolled"]


@pytest.mark.parametrize("seed", [5])
def test_roll_ups_are_made_anew_from_where_they_were_interrupted(fast: LedgerOfTests, database: str, seed: int) -> None:
    fill(fast, seed)
    expected, half = answers(fast), latest(fast) // 2
    some = Roller(fast.store, lambda: fast.now, fast._alarm, config=RollerConfig(at_once=1, at_once_embedded=1))
    for _ in range(half):
        assert some.roll()
    fast.store.stop()
    with writing_connection(database) as connection:
        for table in (LEDGER_LABEL_BINS, LEDGER_OWNER_BINS, LEDGER_COVERAGE_BINS):
            connection.execute(delete(table))
        connection.execute(update(LEDGER_POINT_BINS).values(octets=LEDGER_POINT_BINS.c.octets + 1))
    with pytest.raises(LedgerError):
        prove_ledger(database)
    begun = rebuild_roll_ups(database)
    steps = [next(begun) for _ in range(40)]
    del begun
    assert steps[-1].reached == steps[0].start + 40 * HOUR
    rest = list(rebuild_roll_ups(database))
    assert rest[0].reached == steps[-1].reached + HOUR
    assert rest[-1].reached == rest[-1].end
    prove_ledger(database)
    fast.store.start()
    assert answers(fast) == expected
    while some.roll():
        pass
    assert (rolled(fast), answers(fast)) == (latest(fast), expected)
    prove_ledger(database)
