"""Deciding about what is held: accepting it, so that it counts, or rejecting it for good.

Owns what can be decided. What is accepted is entered again, in the posting that accepts it, and counts from that posting on; the entries
that are held stay as they are.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from typing import Any

from venturi.adapters.store.ledger.held import Decision, HeldSelection, HeldTable
from venturi.adapters.store.ledger.long_intervals import end_long_gaps
from venturi.adapters.store.ledger.overlaps import MeteredPlace
from venturi.adapters.store.ledger.postings import EntryRows, LedgerWriter
from venturi.adapters.store.store import Store
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ConflictError, EntryNotFoundError
from venturi.core.domain.interval import Nanoseconds, format_time
from venturi.core.ledger.batch import (
    BATCH_VERSION,
    Batch,
    BatchLabel,
    BatchPoint,
    DirectionTotals,
    MeteredInterval,
    ProjectUsage,
    UsageRow,
    encode_batch,
)
from venturi.core.ledger.believing import AccountedTime
from venturi.core.ledger.long_intervals import is_long_gap
from venturi.services.control.policy import Operation, require
from venturi.services.ledger.entering import EnteredBatch
from venturi.services.ledger.judging import Verdict, find_clashes

ACCEPTANCE = "acceptance"
"""The kind of a posting that accepts what is held."""

REJECTION = "rejection"
"""The kind of a posting that rejects what is held."""

MOST_INTERVALS = 1_000
"""About how many intervals one posting decides."""

_MOST_ENTRIES = 100_000


@dataclass(frozen=True)
class Decided:
    """What a posting decided: how many ``intervals``, and how many of those asked for are ``remaining``, for another posting to decide."""

    posting: int
    intervals: int
    remaining: int


class HeldDecisions:
    """Lists what is held, and decides about it, from any thread."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds]) -> None:
        """Decide in ``store``; ``clock`` gives the time."""
        self._store = store
        self._clock = clock

    def list(self, caller: Principal, selection: HeldSelection, limit: int, after: tuple[int, int]) -> Sequence[Any]:
        """List what is held, as ``HeldTable.list`` does; raises ``ForbiddenError``."""
        require(caller, Operation.LIST_HELD)
        with self._store.reading() as reader:
            return reader.ledger.held.list(selection, limit, after)

    def accept(self, caller: Principal, reason: str, selection: HeldSelection) -> Decided:
        """Have what a selection has count from now on, or about as much of it as one posting decides.

        Raises ``ForbiddenError``; ``EntryNotFoundError`` if nothing of it is held, or not all that it names; ``ConflictError`` for what was
        decided about before, or overlaps what counts at its place.
        """
        require(caller, Operation.ACCEPT_HELD)
        return self._decide(caller, reason, selection, ACCEPTANCE)

    def reject(self, caller: Principal, reason: str, selection: HeldSelection) -> Decided:
        """Have what a selection has never count, as ``accept`` has it count; raises as that does."""
        require(caller, Operation.REJECT_HELD)
        return self._decide(caller, reason, selection, REJECTION)

    def _decide(self, caller: Principal, reason: str, selection: HeldSelection, kind: str) -> Decided:
        with self._store.reading() as reader:
            wanted = [(row.posting, row.ordinal) for row in _choose(reader.ledger.held, selection)]
        with self._store.posting() as writer:
            # Whoever waits for the ledger must not wait for a search through all that is held: what was found is only looked at again.
            chosen = writer.held.list(HeldSelection(positions=wanted), len(wanted))
            _require_chosen(writer.held, selection, chosen)
            rows, entered = EntryRows(), list[EnteredBatch]()
            if kind == ACCEPTANCE:
                entered = _enter_accepted(writer, chosen, rows)
            decision = Decision.ACCEPTED if kind == ACCEPTANCE else Decision.REJECTED
            for row in chosen:
                rows.held.append((writer.posting, rows.count, row.posting, row.ordinal, decision.value, "", 0, 0))
            writer.add_posting({"kind": kind, "posted_at": self._clock(), "author": caller.user_id, "reason": reason}, rows)
            for batch in entered:
                batch.name_long_intervals()
            end_long_gaps(writer.connection, [(row.posting, row.ordinal) for row in chosen if is_long_gap(row.start_at, row.end_at)])
        self._store.count_held()
        with self._store.reading() as reader:
            remaining = reader.ledger.held.count(selection)
        return Decided(writer.posting, len(chosen), remaining)


def _choose(held: HeldTable, selection: HeldSelection) -> Sequence[Any]:
    """Give the rows that a posting decides: the first of a selection, or all that it names."""
    found = held.list(replace(selection, decisions=(Decision.HELD,)), MOST_INTERVALS)
    _require_chosen(held, selection, found)
    if selection.positions:
        return found
    entries = accumulate(row.entries for row in found)
    return [row for row, before in zip(found, [0, *entries], strict=False) if before < _MOST_ENTRIES]


def _require_chosen(held: HeldTable, selection: HeldSelection, found: Sequence[Any]) -> None:
    """Refuse a selection that has nothing, or names what is not held, or not any more."""
    if not found and not selection.positions:
        message = "nothing is held that is as you ask"
        raise EntryNotFoundError(message)
    missing = [position for position in selection.positions if position not in {(row.posting, row.ordinal) for row in found}]
    if not missing:
        return
    posting, ordinal = missing[0]
    known = held.list(HeldSelection(positions=missing[:1], decisions=()), 1)
    if known and known[0].decision != Decision.HELD:
        message = f"interval {ordinal} of posting {posting} was {known[0].decision} by posting {known[0].decided_by}"
        raise ConflictError(message)
    message = f"there is no interval {ordinal} in posting {posting} that is held"
    raise EntryNotFoundError(message)


def _enter_accepted(writer: LedgerWriter, chosen: Sequence[Any], rows: EntryRows) -> list[EnteredBatch]:
    """Enter again what is accepted, the intervals of each agent and host together; refuse what overlaps."""
    accounts: defaultdict[MeteredPlace, list[AccountedTime]] = defaultdict(list)
    entered = []
    for metered_by, some in groupby(sorted(chosen, key=_metered_by), key=_metered_by):
        of_agent = list(some)
        batch, verdicts = _make_batch(writer, of_agent)
        for number in find_clashes(writer, metered_by[1], batch, verdicts, accounts):
            row = of_agent[number]
            message = (
                f"interval {row.ordinal} of posting {row.posting}, from {format_time(row.start_at)} to {format_time(row.end_at)}, overlaps "
                f"what counts at observation point {row.point_id}, so it cannot be accepted: reject it"
            )
            raise ConflictError(message)
        entered.append(EnteredBatch(writer, metered_by, batch, verdicts, rows))
    return entered


def _metered_by(row: Any) -> tuple[str, str]:  # noqa: ANN401 - a row of what is held
    return row.agent_id, row.host


def _make_batch(writer: LedgerWriter, held: Sequence[Any]) -> tuple[Batch, list[Verdict]]:
    """Make of what is held, as its posting has it, a batch in which all counts."""
    labels: dict[BatchLabel, int] = {}
    intervals, verdicts = [], []
    for row in held:
        position = row.posting, row.ordinal
        usage = [
            UsageRow(labels.setdefault(_label_of(used), len(labels)), used.direction, used.packets, used.octets)
            for used in writer.held.usage_of(position, row.entries)
        ]
        totals = [DirectionTotals(*tuple(each)[3:]) for each in writer.held.totals_of(position, row.entries)]
        used = [
            ProjectUsage(each.project_id, each.direction, each.packets, each.octets, each.alone_packets, each.alone_octets)
            for each in writer.held.project_usage_of(position, row.entries)
        ]
        intervals.append(_interval_of(row, totals, usage, encode_batch(used) if row.parted else b""))
        point = BatchPoint(row.point_id, row.name, row.project_id, bool(row.shared), row.kind)
        verdicts.append(Verdict(None, point, {}, told=True, used={each.label for each in usage}, boundary=row.boundary))
    batch = Batch(version=BATCH_VERSION, sealed_at=0, points=[], labels=list(labels), intervals=intervals)
    return batch, verdicts


def _label_of(row: Any) -> BatchLabel:  # noqa: ANN401 - a row of usage with its label
    return BatchLabel(row.label_id, row.name, row.project_id, bool(row.shared))


def _interval_of(
    row: Any,  # noqa: ANN401 - a row of what is held
    totals: list[DirectionTotals],
    usage: list[UsageRow],
    project_usage: bytes,
) -> MeteredInterval:
    return MeteredInterval(
        point=0,
        place=row.device,
        start=row.start_at,
        end=row.end_at,
        coverage=row.coverage,
        reason=row.reason,
        generation=row.counted_by,
        classifier=row.classifier,
        revision=row.revision,
        segments=row.segments,
        totals=totals,
        usage=usage,
        project_usage=project_usage,
    )
