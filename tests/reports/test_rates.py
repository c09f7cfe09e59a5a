"""Rates of samples, on every database: against percentiles that numpy makes of records drawn by chance."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.reports.filling import NOON, KeptPoint, KnownVersion, MeteredRecord, fill, keep_points
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from venturi.adapters.store.store import Store
from venturi.core.contracts.samples import distribute
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.direction import Direction, DirectionCode
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.services.reports import rates as rates_module
from venturi.services.reports.groups import RowKind
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Rates, RateUnit, Resolution, Top, UsageRequest

START = NOON * SECOND
COUNT = 30 * 12
LATER = Nanoseconds(START + COUNT * BIN)
LABELS = [KnownVersion(number, f"p{number % 2}", name=f"label {number}") for number in range(1, 5)]
POINTS = [KnownVersion(1, "p1", shared=True), KnownVersion(2, "p0", shared=False), KnownVersion(3, "p1", shared=True, boundary="ports")]
SEEN_AT = {0: (1, 2), 1: (1,)}
"""At which points of the boundary labels of a project apply."""

WAYS = {DirectionCode.INGRESS: Direction.INGRESS, DirectionCode.EGRESS: Direction.EGRESS}


class DrawnSamples:
    """30 hours of records, of which some lack, are partial, or are of two samples."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - the choice of a test
        self.records: list[MeteredRecord] = []
        self.lacking: set[tuple[int, int]] = set()
        self.counts: defaultdict[tuple[int, int, int, DirectionCode], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for point in (1, 2, 3):
            self._draw(point)

    def _draw(self, point: int) -> None:
        place = 0
        while place < COUNT:
            kind = self.chance.choices(("whole", "partial", "absent", "long"), (90, 4, 2, 4))[0]
            length = 2 if kind == "long" and place + 1 < COUNT else 1
            if kind != "whole":
                self.lacking |= {(point, each) for each in range(place, place + length)}
            usage = []
            for label in LABELS if kind != "absent" else ():
                for direction in WAYS:
                    if point in SEEN_AT[label.number % 2] or point == 3:
                        octets = self.chance.choice((0, self.chance.randrange(10**6))) * length
                        if octets:
                            usage.append((label.number, direction, length, octets))
                            for each in range(place, place + length):
                                self.counts[point, each, label.number, direction] = (1, octets // length)
            if kind != "absent":
                state = Coverage.PARTIAL if kind == "partial" else Coverage.COMPLETE
                self.records.append(
                    MeteredRecord(point, place * 300, (place + length) * 300, usage, state, "bypass" if kind == "partial" else "")
                )
            place += length

    def expected(self, boundary: str, label: int, direction: DirectionCode, places: range, rank: float, column: int) -> tuple[object, ...]:
        """Compute the rates of a label: mean, least, most, percentile, samples known and missing."""
        points = [3] if boundary == "ports" else list(SEEN_AT[label % 2])
        known = [place for place in places if all((point, place) not in self.lacking for point in points)]
        summed = [sum(self.counts[point, place, label, direction][column] for point in points) for place in known]
        at = int(np.percentile(np.array(summed, dtype=np.int64), rank, method="inverted_cdf"))
        figures = Fraction(sum(summed), len(summed)), min(summed), max(summed), at
        factor = Fraction(8 if column else 1, 300)
        spelled = [(Decimal(round(Fraction(each) * factor * 10**6)) / 10**6).quantize(Decimal("0.001")) for each in figures]
        return (*map(float, spelled), len(known), len(places) - len(known))


DRAWN = DrawnSamples(5)


@pytest.fixture
def reports(database: str) -> Iterator[UsageReports]:
    with open_store(database) as store:
        yield filled(store, database, DRAWN)


def filled(store: Store, database: str, drawn: DrawnSamples) -> UsageReports:
    """Give reports of what was drawn."""
    fill(database, LABELS, POINTS, drawn.records, totalled=True)
    kept = [KeptPoint(point.number, -1_000_000, project_id=point.project_id, shared=point.shared) for point in POINTS[:2]]
    keep_points(database, kept)
    return UsageReports(store, lambda: LATER)


REQUEST = UsageRequest(
    start=START // DAY * DAY,
    end=START // DAY * DAY + 2 * DAY,
    resolution=Resolution.DAY,
    group_by=(Grouping.LABEL, Grouping.DIRECTION),
    rates=Rates(RateUnit.BITS),
)


@pytest.mark.parametrize(("unit", "rank"), [(RateUnit.BITS, Fraction(95, 100)), (RateUnit.PACKETS, Fraction(1, 2))])
def test_rates_are_those_of_known_samples(reports: UsageReports, unit: RateUnit, rank: Fraction) -> None:
    request = replace(REQUEST, start=START, end=START + DAY, resolution=Resolution.TOTAL, rates=Rates(unit, rank))
    (interval,) = reports.usage(OPERATOR, request)
    found: dict[tuple[object, ...], tuple[Any, ...]] = {}
    expected: dict[tuple[object, ...], tuple[Any, ...]] = {}
    for place, row in enumerate(interval.rows):
        assert row.group.label
        assert row.group.direction
        number, way = int(row.group.label.name.split()[1]), row.group.direction
        cells = [interval.rows.beside[name][place] for name in rates_module.RATES]
        found[row.group.boundary, number, way] = tuple(float(cell) if isinstance(cell, Decimal) else cell for cell in cells)
        code = next(code for code, direction in WAYS.items() if direction is way)
        told = DRAWN.expected(row.group.boundary or "", number, code, range(288), float(rank * 100), 1 if unit is RateUnit.BITS else 0)
        expected[row.group.boundary, number, way] = told
    assert len(found) == len(LABELS) * len(WAYS) * 2
    assert {key: cells[4:] for key, cells in found.items()} == {key: cells[4:] for key, cells in expected.items()}
    for key, figures in found.items():
        assert figures[:4] == pytest.approx(expected[key][:4], abs=0.0011), key


def test_samples_are_those_that_are_over(reports: UsageReports) -> None:
    first, second = reports.usage(OPERATOR, REQUEST)
    for interval, samples in ((first, 288), (second, (COUNT * BIN + START - REQUEST.start - DAY) // BIN)):
        known, missing = (interval.rows.beside[name] for name in ("known_samples", "missing_samples"))
        assert {int(str(one)) + int(str(other)) for one, other in zip(known, missing, strict=True)} == {samples}


def test_the_largest_have_rates_and_so_has_the_total(reports: UsageReports) -> None:
    request = replace(REQUEST, start=START, end=START + DAY, resolution=Resolution.TOTAL, top=Top(1), group_by=(Grouping.LABEL,))
    (interval,) = reports.usage(OPERATOR, request)
    kinds = [(row.group.boundary, row.group.kind) for row in interval.rows]
    assert kinds == [(boundary, kind) for boundary in ("edge", "ports") for kind in RowKind]
    place = kinds.index(("ports", RowKind.TOTAL))
    known = [place for place in range(288) if (3, place) not in DRAWN.lacking]
    summed = [sum(DRAWN.counts[3, place, label.number, way][1] for label in LABELS for way in WAYS) for place in known]
    assert interval.rows.beside["known_samples"][place] == len(known)
    assert float(str(interval.rows.beside["maximum_rate"][place])) == pytest.approx(max(summed) * 8 / 300, abs=0.0011)


def test_too_many_samples_are_refused_before_any_is_read(sqlite_store: Store, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = filled(sqlite_store, f"sqlite:///{tmp_path}/venturi.db", DrawnSamples(6))
    monkeypatch.setattr(rates_module, "MOST_SAMPLES", 16 * 288 - 1)
    with pytest.raises(InvalidRequestError, match=r"^unit: 16 groups with 288 samples each are more than 4,607 samples: ask for fewer"):
        next(iter(reports.usage(OPERATOR, REQUEST)))
    monkeypatch.setattr(rates_module, "MOST_SAMPLES", 16 * 288)
    assert len(next(iter(reports.usage(OPERATOR, REQUEST))).rows) == 16
    with pytest.raises(InvalidRequestError, match=r"^unit: rates are of many samples"):
        replace(REQUEST, resolution=Resolution.HOUR, end=REQUEST.start + HOUR)


def test_what_is_not_known_has_no_rate() -> None:
    assert distribute([], 0, Fraction(95, 100)) is None
    assert distribute([5], 1, Fraction(1, 2)) == (Fraction(5, 2), 0, 5, 0)
    assert distribute([-3, 4], 0, Fraction(1, 2)) == (Fraction(1, 2), -3, 4, -3)
