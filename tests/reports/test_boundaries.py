"""Boundaries on every database: points that may see the same packet are never added up, whatever is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.reports.filling import KnownVersion, MeteredRecord, fill, version_id
from tests.reports.test_reports import LATER, OUT, ask
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from venturi.adapters.store.store import Store
from venturi.core.domain.coverage import Coverage
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Resolution, UsageRequest
from venturi.services.reports.rows import ReportRow

OWN = version_id(4)
POINTS = [
    KnownVersion(1, boundary="uplinks"),
    KnownVersion(2, boundary="uplinks"),
    KnownVersion(3, boundary="routers"),
    KnownVersion(4, boundary=""),
    KnownVersion(5, boundary="routers", of=2),
]
"""Two uplinks, a router behind them, and an interface that nobody put into a boundary; the second uplink became a router later."""

RECORDS = [
    *(MeteredRecord(point, 0, 3600, [(1, OUT, 1, 1 << point), (2, OUT, 1, 100)], unmatched=7) for point in (1, 2, 3, 4)),
    MeteredRecord(5, 3600, 7200, [(1, OUT, 1, 1000)]),
    MeteredRecord(3, 3600, 7200, (), Coverage.PARTIAL, "bypass"),
    *(MeteredRecord(point, 3600, 7200) for point in (1, 4)),
]


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with open_store(database) as store:
        fill(database, [KnownVersion(1), KnownVersion(2, "p2")], POINTS, RECORDS)
        yield store


def rows_of(reports: UsageReports, request: UsageRequest, *, totals: bool = False) -> list[ReportRow]:
    """Give all rows of a report in the order of boundaries."""
    read = reports.point_totals if totals else reports.usage
    rows = [row for interval in read(OPERATOR, reports.confine(request)) for row in interval.rows]
    return sorted(rows, key=lambda row: (str(row.group.boundary), row.counts[1]))


def octets_of(rows: Sequence[ReportRow]) -> list[tuple[str | None, int]]:
    """Give boundary and octets of rows."""
    return [(row.group.boundary, row.counts[1]) for row in rows]


WAYS: list[tuple[tuple[Grouping, ...], list[tuple[str, int]]]] = [
    ((), [(OWN, 116), ("routers", 1108), ("uplinks", 206)]),
    ((Grouping.BOUNDARY,), [(OWN, 116), ("routers", 1108), ("uplinks", 206)]),
    ((Grouping.PROJECT,), [(OWN, 16), (OWN, 100), ("routers", 100), ("routers", 1008), ("uplinks", 6), ("uplinks", 200)]),
    ((Grouping.POINT,), [(OWN, 116), ("routers", 108), ("routers", 1000), ("uplinks", 102), ("uplinks", 104)]),
    ((Grouping.POINT_PROJECT,), [(OWN, 116), ("routers", 1108), ("uplinks", 206)]),
]


@pytest.mark.parametrize(("group_by", "expected"), WAYS, ids=lambda each: " ".join(map(str, each)) if isinstance(each, tuple) else "")
def test_rows_of_several_boundaries_stand_side_by_side(
    store: Store, group_by: tuple[Grouping, ...], expected: list[tuple[str, int]]
) -> None:
    found = rows_of(UsageReports(store, lambda: LATER), ask(Resolution.TOTAL, *group_by))
    assert octets_of(found) == expected


def test_totals_of_points_are_told_apart_too(store: Store) -> None:
    found = rows_of(UsageReports(store, lambda: LATER), ask(Resolution.TOTAL, Grouping.DIRECTION), totals=True)
    assert octets_of(found) == [(OWN, 7), ("routers", 7), ("uplinks", 14)]


SETTINGS = [
    ("a setting is the default", "uplinks", ask(), [("uplinks", 206)]),
    ("who names one gets that", "uplinks", ask(boundaries=["routers"]), [("routers", 1108)]),
    ("who names several gets those", "uplinks", ask(boundaries=["routers", OWN]), [(OWN, 116), ("routers", 1108)]),
    (
        "who tells boundaries apart gets all",
        "uplinks",
        ask(Resolution.TOTAL, Grouping.BOUNDARY),
        [(OWN, 116), ("routers", 1108), ("uplinks", 206)],
    ),
    ("who names a point gets that", "uplinks", ask(point_ids=[OWN]), [(OWN, 116)]),
    ("who names a point by name, too", "uplinks", ask(point_names=["point 4"]), [(OWN, 116)]),
    ("a boundary without points has nothing", "nowhere", ask(), []),
]


@pytest.mark.parametrize(("name", "setting", "request_", "expected"), SETTINGS, ids=[case[0] for case in SETTINGS])
def test_a_question_is_about_the_boundary_that_it_names_or_the_setting(
    store: Store, name: str, setting: str, request_: UsageRequest, expected: list[tuple[str, int]]
) -> None:
    assert octets_of(rows_of(UsageReports(store, lambda: LATER, setting), request_)) == expected, name


def test_coverage_is_that_of_the_points_of_a_boundary(store: Store) -> None:
    reports = UsageReports(store, lambda: LATER)
    request = ask(Resolution.TOTAL, Grouping.BOUNDARY)
    assert {row.group.boundary: row.coverage.state for row in rows_of(reports, request)} == {
        OWN: Coverage.COMPLETE,
        "routers": Coverage.PARTIAL,
        "uplinks": Coverage.COMPLETE,
    }
    alone = replace(request, boundaries=frozenset({"uplinks"}))
    (interval,) = reports.usage(OPERATOR, alone)
    assert (interval.observation_points, interval.coverage.state) == (2, Coverage.COMPLETE)
