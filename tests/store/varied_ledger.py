"""A ledger with something of everything that can be posted, for tests of what must be the same however it is read."""

import random

from tests.reports.test_long_intervals import LABELS, POINTS, random_intervals
from tests.support.batches import SpoolOfTests, make_batch_point, make_interval
from tests.support.control_values import OPERATOR
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.held import HeldSelection

WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]


def fill(ledger: LedgerOfTests, seed: int) -> None:
    """Post intervals of all lengths, late ones too, what is held and decided about, and corrections of each kind of entry."""
    chance = random.Random(seed)  # noqa: S311 - the choice of a test
    spool = SpoolOfTests(points=POINTS, labels=LABELS)
    made = list(random_intervals(chance, 12))
    batches = [spool.seal(*made[first : first + 4]) for first in (0, 4, 8)]
    chance.shuffle(batches)
    other = SpoolOfTests(spool_id="7" * 32, points=[make_batch_point("third", project_id="p1")], labels=LABELS)
    ledger.post(batches[0], other.seal(*(make_interval(minute, usage=WEB) for minute in (0, 1, 4))))
    many = [(0, 0, 1, 10**17)]
    ledger.post(other.seal(*(make_interval(minute, usage=many) for minute in (5, 8))), batches[1])
    ledger.correct((2, 2, (5, 1 << 35)), (2, 1, (7, 1 << 36, 1, 3)))
    ledger.held.accept(OPERATOR, "a burst", HeldSelection(positions=[(3, 0)]))
    ledger.post(batches[2])
    ledger.held.reject(OPERATOR, "forged", HeldSelection(positions=[(3, 3)]))
    for first in (-(1 << 34), 11, -3):
        ledger.correct((2, 2, (1, first)))
