"""A ledger that ``scripts/make-ledger`` makes is as if posted and folded: it proves right, and reports tell what is in it."""

import subprocess
from pathlib import Path

import pytest

from bench.ledger.making.__main__ import make_ledger
from bench.ledger.making.filling import project_name
from bench.ledger.making.shape import OCTETS, READING, UNMATCHED, LedgerShape
from tests.support.control_values import OPERATOR
from tests.support.databases import new_database, open_store
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import LedgerError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Resolution, UsageRequest
from venturi.services.reports.rows import ReportInterval

END = 1_772_323_200 * 10**9
"""2026-03-01T00:00:00Z."""

WHOLE = LedgerShape(labels=7, projects=3, end=END, days=1, hourly=1, fine=1, entered=1)
THINNED = LedgerShape(labels=7, projects=3, end=END, days=3, hourly=2, fine=1, entered=0)
SCRIPT = Path(__file__).parents[3] / "scripts" / "make-ledger"


@pytest.fixture
def sqlite_database(tmp_path: Path) -> str:
    """An empty database, where one kind is enough."""
    return new_database(tmp_path)


def count(label: int, direction: Direction, start: int, end: int) -> int:
    """Count the packets of a label between two times, reading by reading."""
    return sum(1 + (7 * label + 13 * reading + direction.code) % 1_000 for reading in range(start // READING, end // READING))


def report(database: str, resolution: Resolution, days: int, *group_by: Grouping, points: bool = False) -> list[ReportInterval]:
    """Report the last days."""
    request = UsageRequest(start=END - days * DAY, end=END, resolution=resolution, group_by=group_by)
    with open_store(database) as store:
        reports = UsageReports(store, lambda: Nanoseconds(END + DAY))
        return list(reports.point_totals(OPERATOR, request) if points else reports.usage(OPERATOR, request))


def test_a_ledger_with_all_entries_proves_right(database: str) -> None:
    rows = make_ledger(database, WHOLE)
    proof = prove_ledger(database)
    assert (proof.postings, proof.spools) == (DAY // BIN, 1)
    assert rows == 7 * 2 * (DAY // READING + DAY // BIN + 24 + 1)
    assert proof.entries == DAY // READING * (3 + 3 * 2 + 7 * 2)


@pytest.mark.parametrize(("resolution", "width", "days"), [("5m", BIN, 1), ("1h", HOUR, 2), ("1d", DAY, 3), ("total", 3 * DAY, 3)])
def test_reports_tell_what_it_was_made_of(database: str, resolution: str, width: int, days: int) -> None:
    make_ledger(database, THINNED)
    intervals = report(database, Resolution(resolution), days, Grouping.LABEL, Grouping.DIRECTION)
    assert len(intervals) == days * DAY // width
    for interval in intervals[:: max(1, len(intervals) // 20)]:
        assert interval.coverage.state is Coverage.COMPLETE
        counted = {(row.group.label.name, row.group.direction): tuple(row.counts) for row in interval.rows if row.group.label}
        packets = {
            (f"label-{label}", direction): count(label, direction, interval.start, interval.end)
            for label in range(7)
            for direction in (Direction.INGRESS, Direction.EGRESS)
        }
        assert counted == {key: (number, number * OCTETS) for key, number in packets.items()}
        assert not any(row.group.label.deleted for row in interval.rows if row.group.label)


def test_projects_and_points_have_the_sums_of_their_labels(sqlite_database: str) -> None:
    make_ledger(sqlite_database, THINNED)
    of_projects = [sum(count(label, Direction.EGRESS, END - DAY, END) for label in range(project, 7, 3)) for project in range(3)]
    (of_day,) = report(sqlite_database, Resolution.DAY, 1, Grouping.PROJECT, Grouping.DIRECTION)
    found = {row.group.project_id: row.counts[0] for row in of_day.rows if row.group.direction is Direction.EGRESS}
    assert found == {project_name(number): packets for number, packets in enumerate(of_projects)}
    (of_day,) = report(sqlite_database, Resolution.DAY, 1, Grouping.POINT, Grouping.DIRECTION, points=True)
    unmatched = UNMATCHED * DAY // READING
    counted = [tuple(row.counts[:3]) for row in of_day.rows if row.group.direction is Direction.EGRESS]
    assert counted == [(packets + unmatched, (packets + unmatched) * OCTETS, unmatched) for packets in of_projects]


def test_a_ledger_that_lacks_entries_does_not_prove_right(sqlite_database: str) -> None:
    make_ledger(sqlite_database, THINNED)
    with pytest.raises(LedgerError, match="ledger_label_bins: the roll-up of"):
        prove_ledger(sqlite_database)


def test_a_ledger_with_postings_is_refused(sqlite_database: str) -> None:
    make_ledger(sqlite_database, WHOLE)
    with pytest.raises(ValueError, match="this ledger has postings"):
        make_ledger(sqlite_database, WHOLE)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--labels", "2", "--projects", "3"], "--projects: there is at least one, and no more than labels"),
        (["--days", "3", "--hours", "4"], "--hours: a number of days from 0 to that of --days"),
        (["--until", "tomorrow"], "'tomorrow' is not an RFC 3339 time"),
    ],
)
def test_options_that_contradict_each_other_are_named(tmp_path: Path, options: list[str], sentence: str) -> None:
    done = subprocess.run([SCRIPT, f"sqlite:///{tmp_path}/made.db", *options], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert sentence in done.stderr
    assert not (tmp_path / "made.db").exists()
