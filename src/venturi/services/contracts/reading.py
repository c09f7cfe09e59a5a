"""Samples of contracts: what their members counted in each 5 minutes of a period, and whether all of it is known.

Owns which points each member is counted at. A sample is known if every point of every member is known for all of its 5 minutes. What the
roll-ups and the tail hold is read in one transaction, so that all samples are of one moment. Contracts that are measured together are read
together: labels and points are named once, and the coverage of each boundary is read once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from venturi.adapters.store.store import StoreReader
from venturi.adapters.store.usage.sums import Chosen, OwnersChosen, Row, Span
from venturi.adapters.store.usage.versions import LabelOwner, LabelsAsked, LabelVersion, PointVersion
from venturi.core.contracts.samples import Octets, Sample
from venturi.core.contracts.terms import Contract, InterpolatedSamples, Member, MemberKind, PercentileMeasure, Version
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.bins import BIN
from venturi.services.reports.coverage import IntervalCoverage, account
from venturi.services.reports.groups import Scope
from venturi.services.reports.sampling import SampleCoverage

_DIRECTIONS = 3


class Wanted(NamedTuple):
    """A contract whose samples of a ``span`` of 5 minutes are wanted, under a version of it."""

    contract: Contract
    version: Version
    span: Span


class SampleReading(NamedTuple):
    """The samples of a contract, the coverage of the points that members are counted at, and these points.

    Both are those of all contracts that are read together.
    """

    samples: list[Sample]
    coverage: IntervalCoverage
    points: Sequence[PointVersion]


def read_samples(reader: StoreReader, contract: Contract, version: Version, span: Span, now: Nanoseconds) -> list[Sample]:
    """Read the samples of a span of 5 minutes, in their order, as they are known at ``now``."""
    return [] if span.start >= span.end else read_covered_samples(reader, contract, version, span, now).samples


def read_covered_samples(reader: StoreReader, contract: Contract, version: Version, span: Span, now: Nanoseconds) -> SampleReading:
    """Read the samples of a span that is not empty as ``read_samples`` does, and what they are known by."""
    boundary = [point for point in reader.usage.point_versions() if point.boundary == version.terms.boundary]
    (reading,) = _Together(reader, [Wanted(contract, version, span)], boundary).read(now)
    return reading


def read_all_samples(reader: StoreReader, wanted: Sequence[Wanted], now: Nanoseconds) -> Iterator[tuple[int, list[Sample]]]:
    """Read the samples of many contracts; gives each place in ``wanted`` once, with them, by boundary.

    Those of one contract at a time are made, so that many need little memory.
    """
    points = reader.usage.point_versions() if any(each.span.start < each.span.end for each in wanted) else []
    boundaries: defaultdict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(wanted):
        if each.span.start < each.span.end:
            boundaries[each.version.terms.boundary].append(place)
        else:
            yield place, []
    for boundary, places in boundaries.items():
        together = _Together(reader, [wanted[place] for place in places], [point for point in points if point.boundary == boundary])
        yield from zip(places, (reading.samples for reading in together.read(now)), strict=True)


class _Together:
    """Contracts of one boundary that are read together."""

    def __init__(self, reader: StoreReader, wanted: Sequence[Wanted], boundary: Sequence[PointVersion]) -> None:
        self._reader = reader
        self._wanted = wanted
        self._boundary = boundary
        named = _Named(reader, [member for each in wanted for member in each.version.terms.members])
        self._members = [_Members(reader, each, named, boundary) for each in wanted]
        self._everywhere = frozenset(point.version for point in boundary if point.version > 0)

    def read(self, now: Nanoseconds) -> Iterator[SampleReading]:
        """Read the samples of each contract."""
        scopes = {scope for members in self._members for scope in members.scopes}
        seen = [point for point in self._boundary if any(scope.holds(point) for scope in scopes)]
        span = Span(BIN, min(each.span.start for each in self._wanted), max(each.span.end for each in self._wanted))
        coverage = SampleCoverage(account(seen), span, now, self._reader.usage.coverage)
        for each, members in zip(self._wanted, self._members, strict=True):
            octets: dict[int, list[int]] = {start: [0] * _DIRECTIONS for start in range(each.span.start, each.span.end, BIN)}
            for row in self._sum(each.span, members.counted):
                octets[row[0]][row[1]] += row[3]
            worst = _bears_interpolation(each.version)
            known = frozenset.intersection(*(coverage.known(scope, worst) for scope in members.scopes)) if members.scopes else frozenset()
            samples = [Sample(Nanoseconds(start), Octets._make(counts), start in known) for start, counts in octets.items()]
            yield SampleReading(samples, coverage.intervals, seen)

    def _sum(self, span: Span, counted: Mapping[MemberKind, frozenset[int]]) -> Iterator[Row]:
        """Sum what the members of a contract counted: rows of start, direction, packets and octets, and some with more behind."""
        usage, by = self._reader.usage, ("direction",)
        if counted[MemberKind.LABEL]:
            yield from usage.usage(span, BIN, by, [Chosen(counted[MemberKind.LABEL], self._everywhere)])
        for owner in sorted(counted[MemberKind.PROJECT]):
            yield from usage.usage_of_owners(span, BIN, by, [OwnersChosen(frozenset({owner}), self._everywhere)])
        if counted[MemberKind.POINT]:
            yield from usage.totals(span, BIN, by, counted[MemberKind.POINT])


class _Named:
    """What members name: versions of labels, and owners, read once for all contracts."""

    def __init__(self, reader: StoreReader, members: Sequence[Member]) -> None:
        labels, projects = (_identifiers(members, kind) for kind in (MemberKind.LABEL, MemberKind.PROJECT))
        self.labels: defaultdict[str, list[LabelVersion]] = defaultdict(list)
        for label in reader.usage.label_versions(LabelsAsked(label_ids=labels)) if labels else ():
            self.labels[label.label_id].append(label)
        self.owners: defaultdict[str, list[LabelOwner]] = defaultdict(list)
        for owner in reader.usage.label_owners(LabelsAsked(project_ids=projects)) if projects else ():
            self.owners[owner.project_id].append(owner)


class _Members:
    """The members of a version, as the ledger names them."""

    def __init__(self, reader: StoreReader, wanted: Wanted, named: _Named, boundary: Sequence[PointVersion]) -> None:
        members, project = wanted.version.terms.members, None if wanted.version.foreign else wanted.contract.project_id
        labels, projects, points = (_identifiers(members, kind) for kind in MemberKind)
        counted, scopes = _find_labels(reader, labels, named, project)
        owners = {owner.owner for each in projects for owner in named.owners[each] if not owner.shared}
        versions = {point.version for point in boundary if point.version > 0 and point.point_id in points}
        self.counted: Mapping[MemberKind, frozenset[int]] = {
            MemberKind.LABEL: counted,
            MemberKind.PROJECT: frozenset(owners),
            MemberKind.POINT: frozenset(versions),
        }
        """The numbers by which sums name what is counted: a project once as far as agents told it, else what its labels counted."""
        places = {Scope(project_id=each) for each in projects} | {Scope(point_id=each) for each in points}
        self.scopes: frozenset[Scope] = scopes | places
        """Where members are counted, each once."""


def _find_labels(
    reader: StoreReader, identifiers: frozenset[str], named: _Named, project: str | None
) -> tuple[frozenset[int], frozenset[Scope]]:
    """Find the versions of labels, and the points at which each applies.

    Unless foreign ones were let in, they are only found as the own ones of the ``project``, which are not shared.
    """
    versions = sorted(version for identifier in identifiers for version in named.labels[identifier])
    own = [each for each in versions if project is None or (each.project_id == project and not each.shared)]
    latest = {each.label_id: each for each in own}
    scopes = {Scope(project_id=None if each.shared else each.project_id) for each in latest.values()}
    kept = [label for label in (reader.labels.find(identifier) for identifier in identifiers - latest.keys()) if label]
    scopes |= {Scope(project_id=None if label.shared else label.project_id) for label in kept}
    return frozenset(each.version for each in own), frozenset(scopes)


def _bears_interpolation(version: Version) -> Coverage:
    measure = version.terms.measure
    strict = isinstance(measure, PercentileMeasure) and measure.interpolated is InterpolatedSamples.MISSING
    return Coverage.COMPLETE if strict else Coverage.INTERPOLATED


def _identifiers(members: Iterable[Member], kind: MemberKind) -> frozenset[str]:
    return frozenset(member.id for member in members if member.kind is kind)
