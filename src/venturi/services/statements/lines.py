"""Lines of a statement: its samples, each with the postings that say something of its 5 minutes.

Owns how far a question reaches. What a posting adds is told by the ledger.
"""

from collections import defaultdict
from dataclasses import dataclass

from venturi.adapters.store.store import Store
from venturi.core.contracts.periods import Period
from venturi.core.contracts.samples import Sample
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ForbiddenError, InvalidRequestError
from venturi.core.domain.interval import Nanoseconds, parse_time
from venturi.core.ledger.bins import BIN, DAY
from venturi.core.statements.document import read_document
from venturi.core.statements.figures import read_samples
from venturi.services.control.policy import Operation
from venturi.services.statements.keeping import sees_samples, visible_statement
from venturi.services.statements.reading import PeriodReader

MOST_LINES = 32 * DAY // BIN
"""How many lines are told at once: a month and a day."""


@dataclass(frozen=True)
class StatementLine:
    """A sample of a statement, and the postings with entries in its time at the points of the members."""

    sample: Sample
    postings: list[int]


class StatementLines:
    """Tells callers the lines of statements."""

    def __init__(self, store: Store) -> None:
        """Read statements and the ledger from ``store``."""
        self._store = store

    def read(self, caller: Principal, number: int, start: int | None, end: int | None) -> list[StatementLine]:
        """Read the lines between two times, by default all of the statement's period.

        Raises ``StatementNotFoundError``, ``ForbiddenError`` where the samples are not for the caller, and ``InvalidRequestError`` for a
        statement without a period of its own and for more lines than ``MOST_LINES``.
        """
        with self._store.reading() as reader:
            kept = visible_statement(caller, reader, number, Operation.EXPORT_STATEMENT)
            if not sees_samples(caller, reader, kept):
                message = "the samples of this statement are for administrators: its contract has members of other projects"
                raise ForbiddenError(message)
            document = read_document(reader.statements.document(number))
            part = document.measurement
            if part is None:
                message = f"statement {number} has no samples of its own: it is a {kept.kind}"
                raise InvalidRequestError(message)
            period = Period(part.period.name, parse_time(part.period.start), parse_time(part.period.end))
            window = max(period.start, (start or 0) // BIN * BIN), min(period.end, period.end if end is None else -(-end // BIN) * BIN)
            if (window[1] - window[0]) // BIN > MOST_LINES:
                message = f"these are more than {MOST_LINES} lines: ask for less of {period.name} by from and to"
                raise InvalidRequestError(message)
            contract = reader.contracts.find(kept.contract_id)
            samples = [sample for sample in read_samples(part.samples, period) if window[0] <= sample.start < window[1]]
            if contract is None or not samples:
                return []
            version = next(version for version in contract.versions if version.number == int(part.version))
            periods = PeriodReader(reader, kept.posting, kept.closed_at)
            found = periods.read(contract, version, Period(period.name, samples[0].start, Nanoseconds(window[1])), accept_missing=True)
            by_bin: defaultdict[int, set[int]] = defaultdict(set)
            versions = frozenset(point.version for point in found.points if point.version > 0)
            for posting, begins, ends in periods.reader.usage.intervals(versions, window):
                for border in range(max(window[0], begins // BIN * BIN), min(window[1], max(ends, begins + 1)), BIN):
                    by_bin[border].add(posting)
        return [StatementLine(sample, sorted(by_bin.get(sample.start, ()))) for sample in samples]
