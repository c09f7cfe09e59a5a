"""Periods as statements measure them: all of one moment, which a posting names, with the evidence beside the figures.

Owns that everything is read as of that posting, so that it can be read again. What is read for many contracts is kept, since they often
share points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from venturi.adapters.store.store import StoreReader
from venturi.adapters.store.usage.sums import Span
from venturi.adapters.store.usage.touched import Metered
from venturi.adapters.store.usage.versions import PointVersion
from venturi.core.contracts.periods import Period
from venturi.core.contracts.settling import Measured, settle
from venturi.core.contracts.terms import Contract, Version
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.bins import BIN
from venturi.core.ledger.covering import Covering
from venturi.core.statements.document import MeasurementPart
from venturi.core.statements.figures import Evidence, Lack, measurement_part
from venturi.services.contracts.reading import SampleReading, read_covered_samples
from venturi.services.reports.coverage import AccountablePoint


@dataclass(frozen=True, kw_only=True)
class PeriodReading:
    """A period of a contract: what it came to, by what evidence, at which points, and which agents metered these."""

    measured: Measured
    evidence: Evidence
    points: Sequence[PointVersion]
    agents: frozenset[str]

    @property
    def part(self) -> MeasurementPart:
        """The figures and the evidence, as a statement tells them."""
        return measurement_part(self.measured, self.evidence)


class _Run(NamedTuple):
    """Intervals that follow each other at a point and are covered alike."""

    start: int
    end: int
    covering: Covering


class PeriodReader:
    """Reads periods as of a posting, by a clock that stands still."""

    def __init__(self, reader: StoreReader, posting: int, now: Nanoseconds) -> None:
        """Read what ``reader`` sees, as it was when ``posting`` was the latest; samples are known at ``now``."""
        self.reader = reader.as_of(posting)
        self.posting = posting
        self.seal = reader.ledger.seal(posting)
        self.now = now
        self._metered: dict[tuple[frozenset[int], Period], Metered] = {}
        self._touched: dict[tuple[int, int, int], dict[str, list[int]]] = {}

    def read(self, contract: Contract, version: Version, period: Period, *, accept_missing: bool) -> PeriodReading:
        """Read a period that lies within the contract."""
        until = Nanoseconds(min(period.end, max(period.start, self.now // BIN * BIN)))
        span = Span(BIN, period.start, until)
        found = read_covered_samples(self.reader, contract, version, span, self.now)
        metered = self._read_metered(found, period)
        evidence = Evidence(lacks=list(_find_lacks(found)), revisions=sorted(metered.rules), seals=list(metered.seals.items()))
        measured = settle(contract, version, period, found.samples, self.now, accept_missing=accept_missing)
        return PeriodReading(measured=measured, evidence=evidence, points=found.points, agents=metered.agents)

    def touched(self, after: int, window: tuple[int, int], point_ids: frozenset[str]) -> list[int]:
        """List the postings after a number that say something of a window of time at some points."""
        key = after, *window
        if key not in self._touched:
            by_point: dict[str, list[int]] = {}
            for each in self.reader.usage.touched(after, window):
                by_point.setdefault(each.point_id, []).append(each.posting)
            self._touched[key] = by_point
        return sorted({posting for point_id in point_ids for posting in self._touched[key].get(point_id, ())})

    def any_touched(self, after: int, window: tuple[int, int]) -> bool:
        """Tell whether any posting after a number says something of a window of time, at any point."""
        self.touched(after, window, frozenset())
        return bool(self._touched[after, *window])

    def _read_metered(self, found: SampleReading, period: Period) -> Metered:
        versions = frozenset(point.version for point in found.points if point.version > 0)
        key = versions, period
        if key not in self._metered:
            self._metered[key] = self.reader.usage.metered(versions, (period.start, period.end))
        return self._metered[key]


def _find_lacks(found: SampleReading) -> Iterator[Lack]:
    """Give the times in which not everything is known of a point, or that two agents metered, by point and time."""
    runs: dict[AccountablePoint, list[_Run]] = {}
    for start, point, covering in found.coverage.lacks():
        told = covering._replace(known=0)
        if not told.worst and not told.reasons:
            continue
        of_point = runs.setdefault(point, [])
        if of_point and of_point[-1].end == start and of_point[-1].covering == told:
            of_point[-1] = of_point[-1]._replace(end=start + BIN)
        else:
            of_point.append(_Run(start, start + BIN, told))
    for point in sorted(runs, key=_name_of):
        for run in runs[point]:
            names = run.covering.reason_names
            yield Lack(point=_name_of(point), start=run.start, end=run.end, state=run.covering.state.value, reasons=names)


def _name_of(point: AccountablePoint) -> str:
    """Give the latest name of a point."""
    return max(point.versions, key=lambda version: version.version).name
