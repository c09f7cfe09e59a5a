"""What a batch must hold true before it is posted, beside the bounds that its form already has.

Owns what contradicts itself: references that lead nowhere, words that mean nothing, counts that cannot be. Whatever is refused is refused
whole, by ``InvalidBatchError`` with the name of the field.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NoReturn

import msgspec

from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.errors import InvalidBatchError
from venturi.core.domain.generation import Segments
from venturi.core.domain.point import PointKind
from venturi.core.ledger.batch import (
    BATCH_FORMS,
    Batch,
    BatchLabel,
    DirectionTotals,
    Envelope,
    MeteredInterval,
    ProjectUsage,
    UsageRow,
    read_project_usage,
)
from venturi.core.ledger.bins import DAY
from venturi.core.ledger.chain import FIRST_PREVIOUS, chain_digest

LONGEST_INTERVAL = 400 * DAY
"""The longest time between two readings, in nanoseconds."""

_COVERAGES = frozenset(Coverage)
_REASONS = frozenset(CoverageReason)
_SEGMENTS = frozenset(Segments)
_KINDS = frozenset(PointKind)
_NOTHING = (0, 0)


def check_envelope(envelope: Envelope) -> None:
    """Refuse an envelope whose digest is not that of its content, or that begins a chain with something before it."""
    if chain_digest(envelope.spool_id, envelope.sequence, envelope.previous, envelope.payload) != envelope.digest:
        _refuse("digest", "it is not that of the content")
    if envelope.sequence == 1 and envelope.previous != FIRST_PREVIOUS:
        _refuse("previous", "nothing comes before the first batch of a spool")


def check_batch(batch: Batch) -> None:
    """Refuse a batch that contradicts itself."""
    if batch.version not in BATCH_FORMS:
        _refuse("version", f"{batch.version} is not known here")
    for number, point in enumerate(batch.points):
        if point.kind not in _KINDS:
            _refuse(f"points[{number}].kind", f"'{point.kind}' is no kind of point")
    labels = [label.id for label in batch.labels]
    for number, interval in enumerate(batch.intervals):
        where = f"intervals[{number}]"
        if interval.point >= len(batch.points):
            _refuse(f"{where}.point", f"there is no point {interval.point}")
        _check_words(interval, where)
        _check_times(interval, where)
        _check_references(interval.usage, labels, where)
        _check_counts(interval, where)
        _check_projects(interval, batch.labels, where)


def _check_words(interval: MeteredInterval, where: str) -> None:
    for name, word, known in (
        ("coverage", interval.coverage, _COVERAGES),
        ("reason", interval.reason, _REASONS),
        ("segments", interval.segments, _SEGMENTS),
    ):
        if word not in known:
            _refuse(f"{where}.{name}", f"'{word}' is not known here")


def _check_times(interval: MeteredInterval, where: str) -> None:
    if interval.end < interval.start:
        _refuse(f"{where}.end", "it lies before the start")
    if interval.end - interval.start > LONGEST_INTERVAL:
        _refuse(f"{where}.end", "the interval is longer than 400 days")


def _check_references(usage: Sequence[UsageRow], labels: Sequence[str], where: str) -> None:
    """Refuse rows of labels that the batch, which has these ids, does not have, and two rows of one label and direction."""
    if max((row.label for row in usage), default=-1) >= len(labels):
        _refuse(f"{where}.usage", f"a row is of a label that is not among the {len(labels)} of the batch")
    if len({(labels[row.label], row.direction) for row in usage}) != len(usage):
        _refuse(f"{where}.usage", "two rows are of the same label and direction")


def _check_counts(interval: MeteredInterval, where: str) -> None:
    """Refuse usage that the totals do not allow: of what was matched, a label counts at most all, and all labels no less than all."""
    matched: dict[int, tuple[int, int]] = {}
    for totals in interval.totals:
        if totals.direction in matched:
            _refuse(f"{where}.totals", "two are of the same direction")
        matched[totals.direction] = _matched(totals, where)
    sums = dict.fromkeys(matched, _NOTHING)
    for _, direction, packets, octets in map(_values, interval.usage):
        most_packets, most_octets = matched.get(direction, _NOTHING)
        if packets > most_packets or octets > most_octets:
            _refuse(f"{where}.usage", "a label counts more than the point")
        if direction in sums:
            summed_packets, summed_octets = sums[direction]
            sums[direction] = summed_packets + packets, summed_octets + octets
    if any(sums[direction][0] < packets or sums[direction][1] < octets for direction, (packets, octets) in matched.items()):
        _refuse(f"{where}.totals", "more was matched than all labels count")


def _check_projects(interval: MeteredInterval, labels: Sequence[BatchLabel], where: str) -> None:
    """Refuse what projects cannot have used, by their own labels, and parts that do not add up to what the point counted."""
    try:
        rows = read_project_usage(interval)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse(f"{where}.project_usage", str(error))
    if not interval.project_usage:
        if any(any(_several_and_shared(totals)) for totals in interval.totals):
            _refuse(f"{where}.totals", "several or shared without project_usage")
        return
    if len({(row.project_id, row.direction) for row in rows}) != len(rows):
        _refuse(f"{where}.project_usage", "two rows are of the same project and direction")
    _check_used(interval.usage, rows, labels, f"{where}.project_usage")
    alone: Counter[tuple[int, str]] = Counter()
    for row in rows:
        alone[row.direction, "packets"] += row.alone_packets
        alone[row.direction, "octets"] += row.alone_octets
    for totals in interval.totals:
        counted = _matched(totals, where)
        several_packets, several_octets, shared_packets, shared_octets = _several_and_shared(totals)
        parts = several_packets + shared_packets, several_octets + shared_octets
        if tuple(alone.pop((totals.direction, unit), 0) + part for unit, part in zip(("packets", "octets"), parts, strict=True)) != counted:
            _refuse(f"{where}.project_usage", "what projects used alone, several and shared are not all that was matched")
    if any(alone.values()):
        _refuse(f"{where}.project_usage", "a row is of a direction without totals")


def _check_used(usage: Sequence[UsageRow], rows: Sequence[ProjectUsage], labels: Sequence[BatchLabel], where: str) -> None:
    """Refuse a project that used less than one of its own labels counted, or more than all of them."""
    counted: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for label, direction, packets, octets in map(_values, usage):
        if not labels[label].shared:
            counted[labels[label].project_id, direction].append((packets, octets))
    for row in rows:
        of_labels = counted.pop((row.project_id, row.direction), [_NOTHING])
        parts = (row.packets, row.alone_packets), (row.octets, row.alone_octets)
        for (used, alone), counts in zip(parts, zip(*of_labels, strict=True), strict=True):
            if not max(counts) <= used <= sum(counts) or alone > used:
                _refuse(where, f"project '{row.project_id}' used what its own labels cannot have counted")
    if any(any(map(any, of_labels)) for of_labels in counted.values()):
        _refuse(where, "it lacks a project whose own labels counted")


def _several_and_shared(totals: DirectionTotals) -> tuple[int, int, int, int]:
    return totals.several_packets, totals.several_octets, totals.shared_packets, totals.shared_octets


def _values(row: UsageRow) -> tuple[int, int, int, int]:
    return row.label, row.direction, row.packets, row.octets


def _matched(totals: DirectionTotals, where: str) -> tuple[int, int]:
    packets = totals.packets - totals.unmatched_packets - totals.unattributed_packets
    octets = totals.octets - totals.unmatched_octets - totals.unattributed_octets
    if packets < 0 or octets < 0:
        _refuse(f"{where}.totals", "its parts exceed the whole")
    return packets, octets


def _refuse(field: str, reason: str) -> NoReturn:
    message = f"{field}: {reason}"
    raise InvalidBatchError(message)
