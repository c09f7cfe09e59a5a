"""Reports of usage on every database: sums, intervals, groups, coverage, access."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.reports.filling import NOON, KeptPoint, KnownVersion, MeteredRecord, fill, keep_points, version_id
from tests.support.batches import BEGINNING, SpoolOfTests, make_batch_label, make_interval
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from tests.support.ledgers import NOW, LedgerOfTests
from venturi.adapters.store.store import Store
from venturi.adapters.store.usage.sums import Span, UsageTables
from venturi.adapters.store.usage.versions import LabelsAsked, LabelVersion
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.errors import PointNotFoundError
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Resolution, UsageRequest, align
from venturi.services.reports.rows import ReportInterval

IN, OUT = DirectionCode.INGRESS, DirectionCode.EGRESS
HUGE = (1 << 62) - 1
LATER = Nanoseconds((NOON + 1_000_000) * SECOND)
READER = Principal(user_id="reader", project_id="p1", roles=IMPLIED_ROLES[Role.READER])

LABELS = [
    KnownVersion(1, "p1"),
    KnownVersion(2, "p2"),
    KnownVersion(3, "p1", shared=True),
    KnownVersion(4, "p2", shared=True),
    KnownVersion(5, "p1", name="renamed", of=1),
]
POINTS = [
    KnownVersion(1, "p1"),
    KnownVersion(2, "p2"),
    KnownVersion(3, "p1", shared=True),
    KnownVersion(4, "p2", shared=True),
]
EVERY_LABEL = [(label, OUT, 1, 1 << label) for label in (1, 2, 3, 4)]
RECORDS = [
    *(MeteredRecord(point, 0, 3600, EVERY_LABEL, unmatched=7) for point in (1, 2, 3, 4)),
    MeteredRecord(1, 3600, 7200, [(5, OUT, 3, HUGE), (1, OUT, 1, HUGE), (1, IN, 1, 100)]),
    MeteredRecord(2, 3600, 7200, [(2, OUT, 3, HUGE)], Coverage.PARTIAL, "bypass"),
    MeteredRecord(3, 3600, 7200, [(5, OUT, 0, HUGE)]),
    MeteredRecord(4, 3600, 5400),
]


@pytest.fixture
def reports(database: str) -> Iterator[UsageReports]:
    """Reports on each database, long after the records."""
    with open_store(database) as store:
        fill(database, LABELS, POINTS, RECORDS)
        keep_points(database, [KeptPoint(4, 0, project_id="p2", shared=True)])
        yield UsageReports(store, lambda: LATER)


def ask(
    resolution: Resolution = Resolution.TOTAL, *group_by: Grouping, start: int = 0, end: int = 7200, **filters: Iterable[str]
) -> UsageRequest:
    """Ask for a report of some seconds after noon."""
    aligned_start, aligned_end = align((NOON + start) * SECOND, (NOON + end) * SECOND, resolution)
    values = {name: frozenset(wanted) for name, wanted in filters.items()}
    request = UsageRequest(start=aligned_start, end=aligned_end, resolution=resolution, group_by=group_by)
    return replace(request, **values)  # type: ignore[arg-type] # filters by their names


def octets(intervals: Iterator[ReportInterval]) -> list[int]:
    """List the octets of all rows in order."""
    return [row.counts[1] for interval in intervals for row in interval.rows]


def test_sums_go_beyond_64_bits(reports: UsageReports) -> None:
    label = {version_id(1)}
    assert octets(reports.usage(OPERATOR, ask(label_ids=label, start=3600))) == [3 * HUGE + 100]
    by_direction = list(reports.usage(OPERATOR, ask(Resolution.TOTAL, Grouping.LABEL, Grouping.DIRECTION, label_ids=label, start=3600)))
    assert sorted((row.group.direction, row.counts[1]) for row in by_direction[0].rows) == [("egress", 3 * HUGE), ("ingress", 100)]
    assert {row.group.label.name for row in by_direction[0].rows if row.group.label} == {"renamed"}


def test_a_sum_of_some_row_goes_beyond_64_bits(database: str) -> None:
    records = [MeteredRecord(1, hour * 3600, hour * 3600 + 3600, [(1, OUT, 1, 1), (2, OUT, 1, HUGE)]) for hour in range(3)]
    with open_store(database) as store:
        fill(database, LABELS[:2], POINTS[:1], records)
        request = ask(Resolution.TOTAL, Grouping.LABEL, end=3 * 3600)
        assert octets(UsageReports(store, lambda: LATER).usage(OPERATOR, request)) == [3, 3 * HUGE]


class Split(NamedTuple):
    """A resolution and bounds, and the starts of intervals and the octets that label 2 has at point 2 in them."""

    name: str
    resolution: Resolution
    start: int
    end: int
    expected: list[tuple[int, int]]


SPLITS = [
    Split("hours", Resolution.HOUR, 0, 7200, [(0, 4), (3600, HUGE)]),
    Split("widened", Resolution.HOUR, 10, 3601, [(0, 4), (3600, HUGE)]),
    Split("5 minutes", Resolution.FIVE_MINUTES, 3600, 4200, [(3600, HUGE // 12), (3900, HUGE // 6 - HUGE // 12)]),
    Split("a day", Resolution.DAY, 0, 7200, [(-43_200, HUGE + 4)]),
    Split("a total of hours", Resolution.TOTAL, 0, 7200, [(0, HUGE + 4)]),
    Split("a total of both", Resolution.TOTAL, 3300, 7500, [(3300, HUGE + 4 - 4 * 3300 // 3600)]),
    Split("a total of 5 minutes", Resolution.TOTAL, 3600, 3900, [(3600, HUGE // 12)]),
]


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.name)
def test_intervals(reports: UsageReports, split: Split) -> None:
    request = ask(split.resolution, start=split.start, end=split.end, label_ids=[version_id(2)], point_ids=[version_id(2)])
    found = [(interval.start // SECOND - NOON, interval.rows[0].counts[1]) for interval in reports.usage(OPERATOR, request)]
    assert found == split.expected


GROUPINGS: list[tuple[Sequence[Grouping], set[tuple[object, ...]]]] = [
    ((), {(False, 24), (True, 96)}),
    ((Grouping.PROJECT,), {("p1", False, 8), ("p1", True, 32), ("p2", False, 16), ("p2", True, 64)}),
    ((Grouping.POINT_PROJECT,), {(shared, point, 48 if shared else 12) for shared in (False, True) for point in ("p1", "p2")}),
    (
        (Grouping.PROJECT, Grouping.POINT_PROJECT),
        {
            (own, shared, point, octets << 2 * shared)
            for own, octets in (("p1", 4), ("p2", 8))
            for shared in (0, 1)
            for point in ("p1", "p2")
        },
    ),
    ((Grouping.DIRECTION,), {(False, "egress", 24), (True, "egress", 96)}),
    ((Grouping.LABEL,), {(version_id(label), "p1" if label % 2 else "p2", 4 << label) for label in (1, 2, 3, 4)}),
    (
        (Grouping.POINT,),
        {(shared, version_id(point), "p1" if point % 2 else "p2", 6 << 2 * shared) for point in (1, 2, 3, 4) for shared in (0, 1)},
    ),
]


@pytest.mark.parametrize(("group_by", "expected"), GROUPINGS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_groups(reports: UsageReports, group_by: Sequence[Grouping], expected: set[tuple[object, ...]]) -> None:
    found = set()
    for interval in reports.usage(OPERATOR, ask(Resolution.TOTAL, *group_by, end=3600)):
        for group, counts, *_ in interval.rows:
            label, point = group.label and group.label.label_id, group.point and group.point.point_id
            told = (label, group.project_id, group.shared, point, group.point_project_id, group.direction)
            found.add((*(each for each in told if each is not None), counts[1]))
    assert found == expected


def test_one_project_is_summed_by_the_database(reports: UsageReports) -> None:
    both = (Grouping.PROJECT, Grouping.POINT_PROJECT)
    request = ask(Resolution.TOTAL, *both, end=3600, project_ids=["p2"], point_project_ids=["p1"])
    rows = [row for interval in reports.usage(OPERATOR, request) for row in interval.rows]
    found = [(row.group.project_id, row.group.shared, row.group.point_project_id, row.counts[1]) for row in rows]
    assert found == [("p2", False, "p1", 8), ("p2", True, "p1", 32)]


def seen(caller: Principal, reports: UsageReports, label_ids: Sequence[str] = ()) -> set[tuple[str, str]]:
    """List label and point of the rows that a caller sees, of these labels or of all."""
    filters = {"label_ids": label_ids} if label_ids else {}
    request = ask(Resolution.HOUR, Grouping.LABEL, Grouping.POINT, start=0, end=3600, **filters)
    return {
        (row.group.label.label_id[-1], row.group.point.point_id[-1])
        for interval in reports.usage(caller, request)
        for row in interval.rows
        if row.group.label and row.group.point
    }


ACCESS = [
    # label, at points: own, other's, own shared, other's shared
    ("own", "1", "134"),
    ("another's", "2", ""),
    ("own, shared", "3", "134"),
    ("another's, shared", "4", "13"),
]


@pytest.mark.parametrize(("name", "label", "points"), ACCESS)
def test_what_a_reader_sees(reports: UsageReports, name: str, label: str, points: str) -> None:
    assert {point for found, point in seen(READER, reports) if found == label} == set(points), name
    filtered = seen(READER, reports, [version_id(int(label))])
    assert filtered == {(label, point) for point in points}
    assert {point for found, point in seen(OPERATOR, reports) if found == label} == set("1234")


def names_of(reports: UsageReports, caller: Principal) -> dict[str, str]:
    """Give the names of the points that rows of a caller's report show, by their last digit."""
    request = ask(Resolution.HOUR, Grouping.POINT, end=3600)
    rows = [row for interval in reports.usage(caller, request) for row in interval.rows]
    return {row.group.point.point_id[-1]: row.group.point.name for row in rows if row.group.point}


@pytest.mark.parametrize("caller", [READER, OPERATOR], ids=["a reader", "an administrator"])
def test_a_point_that_is_shown_can_be_asked_for_by_its_name(reports: UsageReports, caller: Principal) -> None:
    shown = names_of(reports, caller)
    assert set(shown) == set("134" if caller is READER else "1234")
    for point, name in shown.items():
        request = ask(Resolution.HOUR, Grouping.POINT, end=3600, point_names=[name])
        rows = [row for interval in reports.usage(caller, request) for row in interval.rows]
        assert {row.group.point.point_id[-1] for row in rows if row.group.point} == {point}


def test_a_point_that_is_not_shown_cannot_be_asked_for_by_its_name(reports: UsageReports) -> None:
    hidden = names_of(reports, OPERATOR)["2"]
    shared = names_of(reports, OPERATOR)["4"]
    for name in (hidden, "no point at all"):
        with pytest.raises(PointNotFoundError, match="is called"):
            list(reports.usage(READER, ask(Resolution.HOUR, Grouping.POINT, end=3600, point_names=[name])))
    with pytest.raises(PointNotFoundError, match="is called"):
        list(reports.point_totals(READER, ask(Resolution.HOUR, Grouping.POINT, end=3600, point_names=[shared])))


POINTS_COUNTED = [
    ("an administrator", OPERATOR, 0, 4),
    ("a reader: its own, and the shared ones", READER, 0, 3),
    ("before anything was metered", OPERATOR, -7200, 0),
]


@pytest.mark.parametrize(("name", "caller", "start", "points"), POINTS_COUNTED, ids=[case[0] for case in POINTS_COUNTED])
def test_a_report_says_how_many_points_it_is_about(reports: UsageReports, name: str, caller: Principal, start: int, points: int) -> None:
    (interval,) = reports.usage(caller, ask(Resolution.HOUR, start=start, end=start + 3600))
    assert interval.observation_points == points, name


def test_totals_of_points(reports: UsageReports) -> None:
    request = ask(Resolution.HOUR, Grouping.POINT, end=3600)
    for caller, points in ((OPERATOR, "1234"), (READER, "13")):
        rows = [row for interval in reports.point_totals(caller, request) for row in interval.rows]
        assert {row.group.point.point_id[-1] for row in rows if row.group.point} == set(points)
        assert {tuple(row.counts) for row in rows} == {(0, 7, 0, 7, *[0] * 6)}


def test_coverage_is_that_of_the_points_of_a_group(reports: UsageReports) -> None:
    (interval,) = reports.usage(OPERATOR, ask(Resolution.HOUR, Grouping.LABEL, Grouping.POINT, start=3600))
    rows = {
        (row.group.label.version, row.group.point.version): row.coverage for row in interval.rows if row.group.label and row.group.point
    }
    assert {key: (covering.state, covering.reason_names) for key, covering in rows.items()} == {
        (5, 1): (Coverage.COMPLETE, []),
        (2, 2): (Coverage.PARTIAL, ["bypass"]),
        (5, 3): (Coverage.COMPLETE, []),
    }
    assert (interval.coverage.state, interval.coverage.reason_names) == (Coverage.GAP, ["bypass", "missing"])
    assert interval.coverage.known == 1800 * SECOND


COVERAGES = [
    ("before anything", -7200, -3600, [], (Coverage.GAP, ["missing"], 0, 0, 0)),
    ("whole", 0, 3600, [1], (Coverage.COMPLETE, [], 3600, 3600, 3600)),
    ("a hole", 3600, 7200, [4], (Coverage.GAP, ["missing"], 1800, 1800, 3600)),
    ("a total with a hole", 0, 7500, [4], (Coverage.GAP, ["missing"], 5400, 5400, 7500)),
    ("a hole, and a point that is complete", 3600, 7200, [1, 4], (Coverage.GAP, ["missing"], 1800, 5400, 7200)),
    ("a total before the first record too", -600, 3600, [1], (Coverage.COMPLETE, [], 3600, 3600, 3600)),
    ("after the last record of a deleted point", 7200, 10_800, [1], (Coverage.GAP, ["missing"], 0, 0, 0)),
]


@pytest.mark.parametrize(("name", "start", "end", "points", "expected"), COVERAGES, ids=[case[0] for case in COVERAGES])
def test_coverage_of_an_interval(
    reports: UsageReports, name: str, start: int, end: int, points: list[int], expected: tuple[Coverage, list[str], int, int, int]
) -> None:
    wanted = {"point_ids": [version_id(point) for point in points]} if points else {}
    (interval,) = reports.usage(OPERATOR, ask(Resolution.TOTAL, start=start, end=end, **wanted))
    covering = interval.coverage
    assert (covering.state, covering.reason_names, covering.known // SECOND, *interval.time) == expected, name


def test_an_interval_that_is_not_over_is_pending(sqlite_store: Store, tmp_path: object) -> None:
    fill(f"sqlite:///{tmp_path}/venturi.db", LABELS, POINTS, [MeteredRecord(1, 0, 120, [(1, OUT, 1, 9)])])
    reports = UsageReports(sqlite_store, lambda: Nanoseconds((NOON + 130) * SECOND))
    (interval,) = reports.usage(OPERATOR, ask(Resolution.FIVE_MINUTES, end=300))
    assert (interval.coverage.state, interval.coverage.reason_names) == (Coverage.PARTIAL, ["pending"])
    assert octets(iter([interval])) == [9]


@pytest.mark.parametrize(("start", "known_until"), [(1500, 3600), (1500, 3300), (1380, 3600)])
def test_an_hour_counts_from_the_first_record(database: str, start: int, known_until: int) -> None:
    """The minutes before it are no gap; what is missing after it is one."""
    borders = [*range(start, known_until, 300), known_until]
    records = [MeteredRecord(1, one, other, [(1, OUT, 1, 100)]) for one, other in pairwise(borders)]
    with open_store(database) as store:
        fill(database, LABELS[:1], POINTS[:1], records)
        keep_points(database, [KeptPoint(1, 100_000)])
        (interval,) = UsageReports(store, lambda: LATER).usage(OPERATOR, ask(Resolution.HOUR, end=3600))
    assert (interval.coverage.state is Coverage.COMPLETE) == (known_until == 3600)
    assert interval.time == (known_until - start, 3600 - start)
    assert interval.known_until == (NOON + known_until) * SECOND
    assert interval.read_at == LATER


@pytest.fixture
def lives(database: str) -> Iterator[UsageReports]:
    """Reports by the clock of 2 hours after noon.

    Point 1 was created 90 s before it was metered, and deleted in the second hour; two devices metered point 2, which is older than its
    creation, one after the other; nobody meters point 3, created at 3000 s, and nobody metered point 4, which lived for 10 minutes.
    """
    records = [
        MeteredRecord(1, 690, 3600, [(1, OUT, 1, 100)]),
        MeteredRecord(1, 3600, 5000.25, [(1, OUT, 1, 100)]),
        MeteredRecord(2, 0, 1800, [(1, OUT, 1, 100)], place=2),
        MeteredRecord(2, 1800, 3600, [(1, OUT, 1, 100)], place=3),
        MeteredRecord(2, 3600, 7200, [(1, OUT, 1, 100)], place=3),
    ]
    with open_store(database) as store:
        fill(database, LABELS[:1], POINTS[:2], records)
        kept = [KeptPoint(1, 600, 5000), KeptPoint(2, 4000), KeptPoint(3, 3000), KeptPoint(4, 1200, 1800), KeptPoint(5, 6950)]
        keep_points(database, kept)
        yield UsageReports(store, lambda: Nanoseconds((NOON + 7200) * SECOND))


LIFE = [
    # point, bounds, points in them, state, reasons, known and expected point-seconds
    ("before a point was created", 1, (0, 600), 0, Coverage.GAP, ["missing"], 0, 0),
    ("from its creation to its first record", 1, (600, 900), 1, Coverage.GAP, ["not_metered"], 210, 300),
    ("from then on", 1, (900, 3600), 1, Coverage.INTERPOLATED, [], 2700, 2700),
    ("the 5 minutes of its last record", 1, (4800, 5100), 1, Coverage.INTERPOLATED, [], 200, 200),
    ("after it was deleted", 1, (5100, 7200), 0, Coverage.GAP, ["missing"], 0, 0),
    ("records that are older than the point", 2, (0, 300), 1, Coverage.INTERPOLATED, [], 300, 300),
    ("two devices, one after the other", 2, (0, 3600), 1, Coverage.COMPLETE, [], 3600, 3600),
    ("a point that nobody meters", 3, (3000, 7200), 1, Coverage.GAP, ["not_metered", "pending"], 0, 4200),
    ("a deleted point that nobody metered", 4, (0, 7200), 1, Coverage.GAP, ["not_metered"], 0, 600),
    ("a point of a moment ago", 5, (6900, 7200), 1, Coverage.PARTIAL, ["pending"], 0, 250),
]


@pytest.mark.parametrize("case", LIFE, ids=[case[0] for case in LIFE])
def test_a_point_counts_from_its_creation_to_its_deletion(
    lives: UsageReports, case: tuple[str, int, tuple[int, int], int, Coverage, list[str], int, int]
) -> None:
    name, point, (start, end), points, state, reasons, known, expected = case
    (interval,) = lives.usage(OPERATOR, ask(Resolution.TOTAL, start=start, end=end, point_ids=[version_id(point)]))
    found = (interval.observation_points, interval.coverage.state, interval.coverage.reason_names, *interval.time)
    assert found == (points, state, reasons, known, expected), name


def test_known_time_is_the_same_in_every_resolution(lives: UsageReports) -> None:
    """So it is over the points, and for the caller's own."""
    for points, expected in ([1], (4310, 4400)), ([1, 2, 3, 4, 5], (11_510, 4400 + 7200 + 4200 + 600 + 250)):
        wanted = {"point_ids": [version_id(point) for point in points]}
        for resolution in Resolution:
            times = [each.time for each in lives.usage(OPERATOR, ask(resolution, start=-43_200, end=43_200, **wanted))]
            assert tuple(map(sum, zip(*times, strict=True))) == expected, (points, resolution)


@pytest.mark.parametrize("group_by", [(Grouping.LABEL,), (Grouping.PROJECT,)], ids=["labels", "their owners"])
def test_what_is_named_while_a_report_is_read_is_in_it(sqlite_store: Store, group_by: tuple[Grouping, ...]) -> None:
    ledger = LedgerOfTests(sqlite_store)
    spool = SpoolOfTests(labels=[make_batch_label("first", project_id="p1"), make_batch_label("second", project_id="p2")])
    ledger.post(spool.seal(make_interval(0, 5, usage=[(0, 0, 1, 100)])))
    request = UsageRequest(start=BEGINNING, end=BEGINNING + 24 * HOUR, resolution=Resolution.FIVE_MINUTES, group_by=group_by)
    read = UsageReports(sqlite_store, lambda: NOW).usage(OPERATOR, request)
    assert len(next(read).rows) == 1
    ledger.post(spool.seal(make_interval(23 * 60 + 55, 5, usage=[(0, 0, 1, 100), (1, 0, 2, 200)])))
    last = list(read)[-1].rows
    assert [(row.group.project_id, tuple(row.counts)[:2]) for row in last] == [("p1", (1, 100)), ("p2", (2, 200))]
    assert [row.group.label.name for row in last if row.group.label] == ["first", "second"] * (group_by == (Grouping.LABEL,))


def test_a_report_of_one_label_reads_no_other_labels(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = LedgerOfTests(sqlite_store)
    spool = SpoolOfTests(labels=[make_batch_label(name) for name in ("first", "second", "third")])
    ledger.post(spool.seal(make_interval(0, 5, usage=[(label, 0, 1, 100) for label in range(3)])))
    read: list[list[str]] = []
    found = UsageTables.label_versions

    def note(tables: UsageTables, *asked: LabelsAsked) -> list[LabelVersion]:
        labels = found(tables, *asked)
        read.append([label.name for label in labels])
        return labels

    monkeypatch.setattr(UsageTables, "label_versions", note)
    reports = UsageReports(sqlite_store, lambda: NOW)
    day = UsageRequest(start=BEGINNING, end=BEGINNING + DAY, resolution=Resolution.HOUR, group_by=(Grouping.PROJECT,))
    second = replace(day, group_by=(Grouping.LABEL,), label_ids=frozenset({spool.labels[1].id}))
    assert octets(reports.usage(OPERATOR, second)) == [100]
    assert octets(reports.usage(OPERATOR, day)) == [300]
    assert read == [["second"]], "once for all pieces, and not at all where no label is told apart"


def test_a_hole_among_known_bins_is_found(store: Store) -> None:
    ledger = LedgerOfTests(store)
    spool = SpoolOfTests()
    minutes = [minute for minute in range(0, 60, 5) if minute not in {10, 45}]
    ledger.post(spool.seal(*(make_interval(minute, 5, usage=[(0, 0, 1, 100)]) for minute in minutes)))
    while ledger.roller.roll():
        pass
    request = UsageRequest(start=BEGINNING, end=BEGINNING + HOUR, resolution=Resolution.FIVE_MINUTES, group_by=())
    intervals = UsageReports(store, lambda: NOW).usage(OPERATOR, request)
    lacking = [(interval.start - BEGINNING) // (60 * SECOND) for interval in intervals if interval.coverage.state is not Coverage.COMPLETE]
    assert lacking == [10, 45]
    with store.reading() as reader:
        points = frozenset(point.version for point in reader.usage.point_versions())
        holed = reader.usage.coverage(Span(BIN, BEGINNING, BEGINNING + HOUR), points)
        whole = reader.usage.coverage(Span(BIN, BEGINNING, BEGINNING + 2 * BIN), points)
    assert (holed.runs, len(holed.rows)) == ([], len(minutes))
    assert ([run[1:] for run in whole.runs], whole.rows) == ([(BEGINNING, BEGINNING + BIN)], [])
