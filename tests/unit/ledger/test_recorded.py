"""Intervals that are summed lose nothing of what projects used, and only what tells it is summed with what tells it."""

from dataclasses import replace

from msgspec import structs

from tests.support.batches import MINUTE, make_batch_label, make_batch_point, make_interval, part_usage
from venturi.core.ledger.batch import ProjectUsage, count_entries, read_project_usage
from venturi.core.ledger.recorded import LabelSet, RecordedInterval, join_intervals

LABELS = LabelSet((make_batch_label("web"), make_batch_label("mail", project_id="p2"), make_batch_label("any", shared=True)))
FIRST = RecordedInterval(make_batch_point(), LABELS, part_usage(make_interval(0, usage=[(0, 0, 1, 100), (2, 0, 1, 60)]), LABELS.labels))


def _next(minute: int, *usage: tuple[int, int, int, int], parted: bool = True) -> RecordedInterval:
    interval = make_interval(minute, usage=usage)
    return replace(FIRST, interval=part_usage(interval, LABELS.labels) if parted else interval)


def test_what_projects_used_is_summed() -> None:
    (joined,) = join_intervals([FIRST, _next(1, (0, 0, 2, 200), (1, 0, 5, 500)), _next(2), _next(3, (1, 1, 1, 40))])
    assert read_project_usage(joined.interval) == [
        ProjectUsage("p1", 0, 3, 300, 3, 300),
        ProjectUsage("p2", 0, 5, 500, 5, 500),
        ProjectUsage("p2", 1, 1, 40, 1, 40),
    ]
    assert [structs.astuple(totals)[-2:] for totals in joined.interval.totals] == [(1, 60), (0, 0)]
    assert joined.interval.end - joined.interval.start == 4 * MINUTE
    assert joined.rows == count_entries(joined.interval) == 1 + 2 + 4 + 3


def test_what_does_not_tell_it_stays_apart() -> None:
    joined = join_intervals([FIRST, _next(1, (0, 0, 2, 200), parted=False), _next(2, (0, 0, 2, 200), parted=False), _next(3)])
    assert [bool(entry.interval.project_usage) for entry in joined] == [True, False, True]
