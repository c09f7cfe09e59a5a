"""Samples of a contract: what its members counted in each 5 minutes of a period, and whether all of it is known.

Owns which points each member is counted at. A sample is known if every point of every member is known for all of its 5 minutes. What the
roll-ups and the tail hold is read in one transaction, so that all samples are of one moment.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from venturi.adapters.store.store import StoreReader
from venturi.adapters.store.usage.sums import Chosen, OwnersChosen, Row, Span
from venturi.adapters.store.usage.versions import LabelsAsked, PointVersion
from venturi.core.contracts.samples import Octets, Sample
from venturi.core.contracts.terms import Contract, InterpolatedSamples, Member, MemberKind, PercentileMeasure, Version
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.bins import BIN
from venturi.services.reports.coverage import IntervalCoverage, account
from venturi.services.reports.groups import Scope
from venturi.services.reports.sampling import SampleCoverage

_DIRECTIONS = 3


@dataclass(frozen=True)
class SampleReading:
    """The samples of a span, the coverage of the points that members are counted at, and these points."""

    samples: list[Sample]
    coverage: IntervalCoverage
    points: Sequence[PointVersion]


def read_samples(reader: StoreReader, contract: Contract, version: Version, span: Span, now: Nanoseconds) -> list[Sample]:
    """Read the samples of a span of 5 minutes, in their order, as they are known at ``now``."""
    return [] if span.start >= span.end else read_covered_samples(reader, contract, version, span, now).samples


def read_covered_samples(reader: StoreReader, contract: Contract, version: Version, span: Span, now: Nanoseconds) -> SampleReading:
    """Read the samples of a span that is not empty as ``read_samples`` does, and what they are known by."""
    boundary = [point for point in reader.usage.point_versions() if point.boundary == version.terms.boundary]
    members = _Members(reader, contract, version, boundary)
    octets: dict[int, list[int]] = {start: [0] * _DIRECTIONS for start in range(span.start, span.end, BIN)}
    for row in members.sums(span):
        octets[row[0]][row[1]] += row[3]
    coverage, worst = SampleCoverage(account(members.points), span, now, reader.usage.coverage), _bears_interpolation(version)
    known = frozenset.intersection(*(coverage.known(scope, worst) for scope in members.scopes)) if members.scopes else frozenset()
    samples = [Sample(Nanoseconds(start), Octets._make(counts), start in known) for start, counts in octets.items()]
    return SampleReading(samples, coverage.intervals, members.points)


@dataclass(frozen=True)
class _Labels:
    """The labels among the members: their versions, and for each the points at which it applies."""

    versions: frozenset[int]
    scopes: frozenset[Scope]


class _Members:
    """The members of a version, as the ledger names them."""

    def __init__(self, reader: StoreReader, contract: Contract, version: Version, boundary: Sequence[PointVersion]) -> None:
        self._reader = reader
        self._project = None if version.foreign else contract.project_id
        self._boundary = boundary
        self._by_kind = {kind: _identifiers(version.terms.members, kind) for kind in MemberKind}
        self._labels = self._find_labels(self._by_kind[MemberKind.LABEL])
        projects = {Scope(project_id=project) for project in self._by_kind[MemberKind.PROJECT]}
        points = {Scope(point_id=point) for point in self._by_kind[MemberKind.POINT]}
        self.scopes: frozenset[Scope] = self._labels.scopes | projects | points
        """Where members are counted, each once."""

    @property
    def points(self) -> list[PointVersion]:
        """The points that any member is counted at."""
        return [point for point in self._boundary if any(scope.holds(point) for scope in self.scopes)]

    def sums(self, span: Span) -> Iterator[Row]:
        """Sum what members counted: rows of start, direction, packets and octets; those of points have more behind."""
        metered = [point for point in self._boundary if point.version > 0]
        everywhere = frozenset(point.version for point in metered)
        usage = self._reader.usage
        if self._labels.versions:
            yield from usage.usage(span, BIN, ("direction",), [Chosen(self._labels.versions, everywhere)])
        for project_id in sorted(self._by_kind[MemberKind.PROJECT]):
            yield from self._sum_project(span, project_id, everywhere)
        named = frozenset(point.version for point in metered if point.point_id in self._by_kind[MemberKind.POINT])
        if named:
            yield from usage.totals(span, BIN, ("direction",), named)

    def _sum_project(self, span: Span, project_id: str, points: frozenset[int]) -> Iterator[Row]:
        """Sum what a project used, each packet once, as far as agents told it; else what its labels that are not shared counted."""
        asked = LabelsAsked(project_ids=frozenset({project_id}))
        owners = frozenset(each.owner for each in self._reader.usage.label_owners(asked) if not each.shared)
        if owners:
            yield from self._reader.usage.usage_of_owners(span, BIN, ("direction",), [OwnersChosen(owners, points)])

    def _find_labels(self, identifiers: frozenset[str]) -> _Labels:
        """Find labels; unless foreign ones were let in, only as the project's own, which are not shared."""
        if not identifiers:
            return _Labels(frozenset(), frozenset())
        versions = self._reader.usage.label_versions(LabelsAsked(label_ids=identifiers))
        own = [each for each in versions if self._project is None or (each.project_id == self._project and not each.shared)]
        latest = {each.label_id: each for each in own}
        scopes = {Scope(project_id=None if each.shared else each.project_id) for each in latest.values()}
        kept = [label for label in (self._reader.labels.find(identifier) for identifier in identifiers - latest.keys()) if label]
        scopes |= {Scope(project_id=None if label.shared else label.project_id) for label in kept}
        return _Labels(frozenset(each.version for each in own), frozenset(scopes))


def _bears_interpolation(version: Version) -> Coverage:
    measure = version.terms.measure
    strict = isinstance(measure, PercentileMeasure) and measure.interpolated is InterpolatedSamples.MISSING
    return Coverage.COMPLETE if strict else Coverage.INTERPOLATED


def _identifiers(members: Iterable[Member], kind: MemberKind) -> frozenset[str]:
    return frozenset(member.id for member in members if member.kind is kind)
