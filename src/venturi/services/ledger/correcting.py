"""Corrections: postings that name entries and say what is to be added to their counts.

Owns what a correction may do. The entry that it names stays as it is; sums of entries are those of entries as corrected.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from venturi.adapters.store.ledger.corrected import COUNT_NAMES, CorrectedEntry, PostedCorrection, find_correction, find_entry
from venturi.adapters.store.ledger.postings import EntryRows, LedgerWriter
from venturi.adapters.store.store import Store
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ConflictError, EntryNotFoundError, InvalidRequestError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import HIGHEST
from venturi.services.control.policy import Operation, require

CORRECTION = "correction"
"""The kind of a posting that corrects."""


@dataclass(frozen=True)
class CorrectionLine:
    """What is to be added to the counts of one entry, in the order of ``COUNT_NAMES``; the counts may be negative."""

    posting: int
    ordinal: int
    counts: Sequence[int]


class CorrectionPosting:
    """Posts corrections, from any thread."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds]) -> None:
        """Post into ``store``; ``clock`` gives the time."""
        self._store = store
        self._clock = clock

    def post(self, caller: Principal, reason: str, lines: Sequence[CorrectionLine], correction_id: str | None = None) -> int:
        """Post a correction and give its number; one of an id that is posted already is not posted again.

        Raises ``ForbiddenError``; ``EntryNotFoundError`` for a line that names no entry of usage or totals; ``InvalidRequestError`` for
        two that name one, or counts that an entry does not have; ``ConflictError`` for one that leaves an entry with counts that cannot be,
        or that is another than the one posted under its id.
        """
        require(caller, Operation.POST_CORRECTION)
        if len({(line.posting, line.ordinal) for line in lines}) != len(lines):
            message = "entries: two of them name the same entry"
            raise InvalidRequestError(message)
        with self._store.posting() as writer:
            before = None if correction_id is None else find_correction(writer.connection, correction_id)
            if before is not None:
                _require_same(before, reason, lines)
                return before.posting
            rows = EntryRows()
            for place, line in enumerate(lines):
                _check(writer, line)
                rows.corrections.append((writer.posting, place, line.posting, line.ordinal, *line.counts))
            columns = {
                "kind": CORRECTION,
                "posted_at": self._clock(),
                "author": caller.user_id,
                "reason": reason,
                "correction_id": correction_id,
            }
            writer.add_posting(columns, rows)
        return writer.posting


def _require_same(before: PostedCorrection, reason: str, lines: Sequence[CorrectionLine]) -> None:
    """Refuse another correction under an id that is taken."""
    if (before.reason, list(before.lines)) != (reason, [(line.posting, line.ordinal, *line.counts) for line in lines]):
        message = f"id: it is that of another correction, posting {before.posting}"
        raise ConflictError(message)


def _check(writer: LedgerWriter, line: CorrectionLine) -> None:
    """Refuse a line that names no entry that counts, or leaves it with counts that cannot be."""
    entry = find_entry(writer.connection, line.posting, line.ordinal)
    if entry is None:
        message = f"there is no entry of usage or totals {line.ordinal} in posting {line.posting}"
        raise EntryNotFoundError(message)
    if entry.held:
        message = f"entry {line.ordinal} of posting {line.posting} is held, so there is nothing to correct: accept or reject its interval"
        raise ConflictError(message)
    _check_counts(entry, line)


def _check_counts(entry: CorrectedEntry, line: CorrectionLine) -> None:
    """Refuse counts that cannot be once those of a line are added."""
    where = f"entry {line.ordinal} of posting {line.posting}"
    added = dict(zip(COUNT_NAMES, line.counts, strict=True))
    foreign = [name for name in COUNT_NAMES if name not in entry.counts]
    if any(added[name] for name in foreign):
        message = f"{where} has no {' and no '.join(name for name in foreign if added[name])}"
        raise InvalidRequestError(message)
    counts = {name: before + added[name] for name, before in entry.counts.items()}
    parts = [sum(count for name, count in counts.items() if name.endswith(f"_{unit}")) for unit in ("packets", "octets")]
    if not all(0 <= count <= HIGHEST for count in counts.values()) or parts[0] > counts["packets"] or parts[1] > counts["octets"]:
        message = f"{where} would count what cannot be: {counts}"
        raise ConflictError(message)
