"""A ledger can be read as it was when any posting was the latest, wherever the watermark is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from tests.reports.test_long_intervals import FAST
from tests.store.varied_ledger import fill
from tests.support.batches import BEGINNING
from tests.support.control_values import OPERATOR
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.store import Store, StoreReader
from venturi.adapters.store.usage.sums import Chosen, OwnersChosen, Span, ToldCoverage
from venturi.core.domain.control.principal import Principal
from venturi.core.ledger.batch import Envelope
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.services.ledger.posting import Acknowledgement
from venturi.services.ledger.rolling import Roller, RollerConfig

SPANS = (Span(BIN, BEGINNING - HOUR, BEGINNING + 6 * HOUR), Span(HOUR, BEGINNING - DAY, BEGINNING + 3 * DAY))
Sums = dict[tuple[Any, ...], tuple[int, ...]]


def sum_rows(rows: Iterable[Sequence[Any]], count: int) -> Sums:
    """Sum rows of one key, which is all but the last ``count`` values, and leave out what is nothing."""
    sums: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * count)
    for row in rows:
        for place, counted in enumerate(row[-count:]):
            sums[tuple(row[:-count])][place] += int(counted)
    return {key: tuple(counts) for key, counts in sums.items() if any(counts)}


def spell_coverage(told: ToldCoverage, width: int) -> Sums:
    runs = ((start, run.point_version) for run in told.runs for start in range(run.first, run.last + width, width))
    known = sum_rows(((*run, width, 0) for run in runs), 2)
    others = sum_rows(told.rows, 2)
    whole = sum_rows(((row[0], row[1], width, 0) for row in others if others[row] == (width, 0) and row[3:] == ("complete", "", "wire")), 2)
    return known | whole | {key: counts for key, counts in others.items() if (key[0], key[1]) not in whole}


def answers(reader: StoreReader) -> list[object]:
    """Give all that is told of usage, of totals and of coverage, and when points have records."""
    usage = reader.usage
    versions = [(point.version, point.first, point.last) for point in usage.point_versions() if point.version > 0]
    points = frozenset(version for version, _, _ in versions)
    found: list[object] = [versions]
    for span in SPANS:
        keys = "label_version", "point_version", "direction"
        found.append(sum_rows(usage.usage(span, span.width, keys, [Chosen(None, None)]), 2))
        found.append(sum_rows(usage.usage_of_owners(span, None, ("owner", "direction"), [OwnersChosen(None, None)]), 6))
        found.append(sum_rows(usage.totals(span, span.width, ("point_version", "direction"), None), 10))
        found.append(spell_coverage(usage.coverage(span, points), span.width))
    return found


class WatchedLedger(LedgerOfTests):
    """A ledger that keeps what it says after each posting."""

    def __post_init__(self) -> None:
        """Have kept nothing yet."""
        super().__post_init__()
        self.told: dict[int, list[object]] = {}

    def watch(self) -> None:
        with self.store.reading() as reader:
            self.told[reader.ledger.latest_posting()] = answers(reader)

    def post(self, *envelopes: Envelope, caller: Principal = OPERATOR) -> Acknowledgement:
        done = []
        for envelope in envelopes:
            done.append(super().post(envelope, caller=caller))
            self.watch()
        return done[-1]

    def correct(self, *lines: Any, **named: Any) -> int:  # noqa: ANN401 - as its base
        done = super().correct(*lines, **named)
        self.watch()
        return done


@pytest.mark.parametrize("seed", range(3))
def test_what_was_told_then_can_be_told_again(store: Store, seed: int) -> None:
    ledger = WatchedLedger(store, FAST)
    fill(ledger, seed)
    assert len(ledger.told) > 6
    step = Roller(store, lambda: ledger.now, ledger._alarm, config=RollerConfig(at_once=1, at_once_embedded=1))
    more = True
    while more:
        with store.reading() as reader:
            for posting, told in ledger.told.items():
                assert answers(reader.as_of(posting)) == told, f"as of {posting}"
        more = step.roll() and step.roll() and step.roll()
