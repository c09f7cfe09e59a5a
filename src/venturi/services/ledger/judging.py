"""Judging a batch: which of its intervals are held, and what its points and labels are called.

Owns the order of the checks. Each interval is judged whole and by itself; what is held takes nothing from others.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import compress

from venturi.adapters.store.ledger.overlaps import MeteredPlace, find_accounted
from venturi.adapters.store.ledger.postings import LedgerWriter
from venturi.adapters.store.ledger.told import Claim, Told
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.point import PointKind
from venturi.core.ledger.batch import Batch, BatchLabel, BatchPoint, Envelope, MeteredInterval
from venturi.core.ledger.believing import AccountedTime, counts, counts_packets, find_fault, find_overlapping
from venturi.core.ledger.trust import HeldReason
from venturi.services.ledger.configuration import LedgerConfig
from venturi.services.ledger.trusting import HostTrust

_BY_BATCH: Mapping[str, BatchLabel] = {}
_POINT_IS_UNTOLD = frozenset({HeldReason.UNTOLD_POINT, HeldReason.OTHER_HOST})


@dataclass(frozen=True)
class Verdict:
    """What becomes of an interval: it is held for ``reason``, or counts if that is None.

    ``point`` and ``labels``, by id, are what it is entered under; a label that is not among them is entered as the batch calls it. Its time
    is a gap at the point if it is held and ``told``, which says that its host was told to meter the point. ``used`` are the places of the
    labels that it has usage of; ``boundary`` is that of the point, empty for the default.
    """

    reason: HeldReason | None
    point: BatchPoint
    labels: Mapping[str, BatchLabel]
    told: bool
    used: AbstractSet[int]
    boundary: str = ""


@dataclass(frozen=True)
class Claims:
    """What the intervals of a batch claim to be counted by: each claim once; for each interval the place of its own, and its labels'."""

    claims: Sequence[Claim]
    places: Sequence[int]
    used: Sequence[AbstractSet[int]]


def read_claims(batch: Batch) -> Claims:
    """Read the claims of a batch. Intervals that differ in nothing but time and labels share one, which ends as the first of them ends."""
    labels = [label.id for label in batch.labels]
    places: dict[tuple[str, str, int, bool, int], int] = {}
    found: list[set[int]] = []
    of_intervals, all_used = [], []
    for interval in batch.intervals:
        key = (batch.points[interval.point].id, interval.classifier, interval.revision, counts_packets(interval), interval.end)
        place = places.setdefault(key, len(found))
        if place == len(found):
            found.append(set())
        used = {row.label for row in interval.usage}
        found[place] |= used
        of_intervals.append(place)
        all_used.append(used)
    claims = [
        Claim(
            point_id=point_id,
            classifier=classifier,
            revision=revision,
            label_ids=frozenset([labels[label] for label in used]),
            counted=counted,
            end=Nanoseconds(end),
        )
        for (point_id, classifier, revision, counted, end), used in zip(places, found, strict=True)
    ]
    return Claims(claims, of_intervals, all_used)


class BatchJudge:
    """Judges batches."""

    def __init__(self, trust: HostTrust, config: LedgerConfig) -> None:
        """Believe whom ``trust`` believes."""
        self._trust = trust
        self._config = config

    def claim_routers(self, envelope: Envelope, batch: Batch, claims: Claims, now: int) -> None:
        """Have routers without hosts get the host of a batch that counted packets there, in intervals that can be."""
        routers = {
            claims.places[number]: None
            for number, interval in enumerate(batch.intervals)
            if batch.points[interval.point].kind == PointKind.ROUTER
            and counts_packets(interval)
            and find_fault(interval, now, None, self._config.default_line_rate) is None
        }
        if routers:
            self._trust.claim_routers(envelope.host, [claims.claims[place] for place in routers])

    def judge(self, writer: LedgerWriter, envelope: Envelope, batch: Batch, claims: Claims, now: int) -> list[Verdict]:
        """Judge each interval of a batch, within the transaction that posts it; raises ``StoreError`` while it cannot be said."""
        known = self._trust.find(writer, envelope.host, claims.claims)
        verdicts = [
            self._judge_one(batch, interval, (known[place], used), now)
            for interval, place, used in zip(batch.intervals, claims.places, claims.used, strict=True)
        ]
        for number in find_clashes(writer, envelope.host, batch, verdicts):
            verdicts[number] = replace(verdicts[number], reason=HeldReason.OVERLAPPING)
        return verdicts

    def _judge_one(self, batch: Batch, interval: MeteredInterval, claimed: tuple[Told, AbstractSet[int]], now: int) -> Verdict:
        told, used = claimed
        point = told.point or batch.points[interval.point]
        by_plan_file = told.problem is None and told.point is None
        reason = told.problem
        if reason is HeldReason.UNTOLD_LABEL and _knows_labels(batch, used, told):
            reason = None  # the claim is of other intervals, too
        if reason is None and interval.project_usage and not by_plan_file and not _owns_labels(batch, used, told):
            reason = HeldReason.UNTOLD_LABEL
        if reason is None:
            reason = find_fault(interval, now, told.told_since, told.line_rate or self._config.default_line_rate)
        is_told = by_plan_file or (told.told_since is not None and told.problem not in _POINT_IS_UNTOLD)
        return Verdict(reason, point, _BY_BATCH if by_plan_file else told.labels, is_told, used, told.boundary)


def _knows_labels(batch: Batch, used: AbstractSet[int], told: Told) -> bool:
    labels, known = batch.labels, told.labels
    return all(labels[place].id in known for place in used)


def _owns_labels(batch: Batch, used: AbstractSet[int], told: Told) -> bool:
    """Tell whether labels are whose the store says they are: what projects used is by the batch's own word."""
    named = [(batch.labels[place], told.labels.get(batch.labels[place].id)) for place in used]
    return all(known is None or (known.project_id, known.shared) == (label.project_id, label.shared) for label, known in named)


def find_clashes(
    writer: LedgerWriter,
    host: str,
    batch: Batch,
    verdicts: Sequence[Verdict],
    accounts: defaultdict[MeteredPlace, list[AccountedTime]] | None = None,
) -> Iterator[int]:
    """Give the intervals of a host that count, but overlap others of their place: what is posted and not held, or others of the batch.

    A point has one place, but for routers, whose places on one or several hosts lie side by side. ``accounts`` has what is about to be
    posted besides, and gets what overlaps nothing.
    """
    places: defaultdict[MeteredPlace, list[int]] = defaultdict(list)
    for number, (interval, verdict) in enumerate(zip(batch.intervals, verdicts, strict=True)):
        if verdict.reason is None and counts(interval):
            places[_place_of(verdict.point, host.lower(), interval.place)].append(number)
    spans = {
        place: (min(batch.intervals[number].start for number in numbers), max(batch.intervals[number].end for number in numbers))
        for place, numbers in places.items()
    }
    accounted = find_accounted(writer.connection, spans) if spans else {}
    for place, numbers in places.items():
        times = [(batch.intervals[number].start, batch.intervals[number].end) for number in numbers]
        besides = () if accounts is None else accounts[place]
        overlapping = find_overlapping([*accounted[place], *besides], host, times)
        if accounts is not None:
            accounts[place] += [AccountedTime(host, *time) for time, found in zip(times, overlapping, strict=True) if not found]
        yield from compress(numbers, overlapping)


def _place_of(point: BatchPoint, host: str, place: str) -> MeteredPlace:
    return MeteredPlace(point.id, host, place) if point.kind == PointKind.ROUTER else MeteredPlace(point.id)
