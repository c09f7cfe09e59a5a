"""The meter equals a plain calculation with fractions, and conserves every octet."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.build import label
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.directions import gather_evidence
from venturi.core.classify.reference import Part, Passage, part_of, using_projects
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.drops import MAXIMUM_COUNT, new_drop_table
from venturi.core.domain.flow_batch import Exporter, FlowBatch, FlowTables
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.point import ObservationPoint, PointKind
from venturi.core.meter.meter import Meter, MeterConfig
from venturi.core.meter.settlement import Grouping
from venturi.core.meter.shares import share_before
from venturi.core.meter.summing import Borders
from venturi.core.meter.usage_sums import UsageRow

_POINT = ObservationPoint(name="exporter", kind=PointKind.EXPORTER)
_LABELS = (label("ten", "out 10.0.0.0/8 > *"), label("half", "out 10.0.0.0/9 > *"))
_TEN, _HALF, _NEITHER = 0x0A800001, 0x0A000001, 0x0B000001
_RATES = (Fraction(1), Fraction(100), Fraction(7, 3))


class Flow(NamedTuple):
    """A flow record as the plain calculation takes it."""

    source: int
    packets: int
    octets: int
    start: int
    duration: int
    rate: int


_FLOWS = st.builds(
    Flow,
    source=st.sampled_from([_TEN, _HALF, _NEITHER]),
    packets=st.integers(0, 1 << 20),
    octets=st.one_of(st.integers(0, 1 << 34), st.integers(MAXIMUM_COUNT - 5, MAXIMUM_COUNT)),
    start=st.integers(-50, 1000),
    duration=st.one_of(st.integers(0, 10), st.integers(0, 2000)),
    rate=st.sampled_from(range(len(_RATES))),
)
_BORDERS = st.sampled_from(
    [
        Borders(),
        Borders(interval=Nanoseconds(100)),
        Borders(interval=Nanoseconds(7), window_start=Nanoseconds(3), window_end=Nanoseconds(501)),
        Borders(window_start=Nanoseconds(200)),
        Borders(interval=Nanoseconds(60), window_end=Nanoseconds(600)),
    ]
)


def parts_of(flow: Flow, borders: Borders) -> list[tuple[int | None, int, int]]:
    """Cut a flow at all borders: (interval number, None outside the window; packets; octets)."""
    end = flow.start + flow.duration
    window_start = -(1 << 62) if borders.window_start is None else borders.window_start
    window_end = 1 << 62 if borders.window_end is None else borders.window_end
    last = max(flow.start, end - 1)
    cuts = {flow.start, end, *(cut for cut in (window_start, window_end) if flow.start < cut < end)}
    if borders.interval:
        cuts |= {number * borders.interval for number in range(flow.start // borders.interval + 1, last // borders.interval + 1)}
    moments = sorted(cuts) if flow.duration else [flow.start, flow.start]
    parts = []
    for begin, finish in pairwise(moments):
        shares = (
            [_share(total, finish, flow) - _share(total, begin, flow) for total in (flow.packets, flow.octets)]
            if flow.duration
            else [flow.packets, flow.octets]
        )
        inside = window_start <= begin < window_end
        parts.append((begin // borders.interval if inside and borders.interval else 0 if inside else None, shares[0], shares[1]))
    return parts


def _share(total: int, moment: int, flow: Flow) -> int:
    return share_before(total, moment - flow.start, flow.duration)


def batch_of(flows: list[Flow]) -> FlowBatch:
    """Put flows that were metered at egress into columns."""
    batch = FlowBatch.empty(len(flows))
    batch.family.fill(4)
    batch.flow_direction.fill(1)
    for row, flow in enumerate(flows):
        batch.source_low[row], batch.packets[row], batch.octets[row] = flow.source, flow.packets, flow.octets
        batch.start[row], batch.end[row], batch.sampling[row] = flow.start, flow.start + flow.duration, flow.rate
    return batch


def observed_by_plain_calculation(flows: list[Flow], borders: Borders) -> dict[tuple[int, int], Counts]:
    """Sum the observed parts by label number and interval."""
    sums: dict[tuple[int, int], Counts] = defaultdict(Counts)
    for flow in flows:
        labels = {_TEN: (0,), _HALF: (0, 1), _NEITHER: ()}[flow.source]
        for interval, packets, octets in parts_of(flow, borders):
            if interval is not None:
                for number in labels:
                    sums[number, interval] += Counts(packets, octets)
    return sums


def make_meter(borders: Borders, labels: Sequence[LabelWithRules] = _LABELS) -> Meter:
    """Make a meter of labels, by default the two, with the three sampling rates known."""
    tables = FlowTables()
    tables.exporter_number(Exporter())
    for rate in _RATES:
        tables.rate_number(rate)
    config = MeterConfig(borders, Grouping(interval=True))
    return Meter(config, CompiledClassifier(labels), gather_evidence([], []), tables)


def rows_of(meter: Meter) -> list[UsageRow]:
    """List the usage."""
    return [meter.usage[number] for number in range(len(meter.usage))]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(_FLOWS, max_size=12), max_size=4), _BORDERS)
def test_observed_counts_equal_a_plain_calculation(batches: list[list[Flow]], borders: Borders) -> None:
    """Observed packets and octets are those of the plain calculation, label by label and interval by interval."""
    meter = make_meter(borders)
    source = meter.source(lambda _: _POINT)
    for flows in batches:
        source.add(batch_of(flows))
    source.finish(new_drop_table())
    expected = observed_by_plain_calculation([flow for flows in batches for flow in flows], borders)
    found = {(row.key.label, row.key.interval): row.observed for row in rows_of(meter)}
    assert {key: counts for key, counts in found.items() if counts != Counts()} == {
        key: counts for key, counts in expected.items() if counts != Counts()
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(_FLOWS, max_size=30), _BORDERS)
def test_estimates_sum_to_the_rounded_whole(flows: list[Flow], borders: Borders) -> None:
    """Matched, unmatched and outside together are the scaled whole: to the octet at whole rates, within one else."""
    meter = make_meter(borders)
    source = meter.source(lambda _: _POINT)
    source.add(batch_of(flows))
    totals = source.finish(new_drop_table())
    matched = sum((row.counts for row in rows_of(meter) if row.key.label == 0), Counts())
    together = matched + totals.unmatched + totals.outside_window
    if all(_RATES[flow.rate].denominator == 1 for flow in flows):
        assert together == source.estimated
    else:
        assert abs(together.octets - source.estimated.octets) <= 1
        assert abs(together.packets - source.estimated.packets) <= 1


_PROJECT_LABELS = (
    label("a-ten", "out 10.0.0.0/8 > *", project_id="a"),
    label("a-half", "out 10.0.0.0/9 > *", project_id="a"),
    label("b-half", "out 10.0.0.0/9 > *", project_id="b"),
    label("b-eleven", "out 11.0.0.0/8 > *", project_id="b"),
    label("shared-half", "out 10.0.0.0/9 > *", project_id="c", shared=True),
    label("shared-all", "out 0.0.0.0/0 > *", project_id="b", shared=True),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(_FLOWS, max_size=12), max_size=4), _BORDERS, st.lists(st.sampled_from(_PROJECT_LABELS), unique=True))
def test_projects_and_the_other_parts_are_the_whole_once(batches: list[list[Flow]], borders: Borders, labels: list[LabelWithRules]) -> None:
    """What projects used is what the readable definition says, packet by packet; the parts are the whole."""
    meter = make_meter(borders, labels)
    used, parts = defaultdict[str, int](int), defaultdict[Part, int](int)
    outside = whole = Counts()
    totals = []
    for flows in batches:
        observed = [flow._replace(rate=0) for flow in flows]
        source = meter.source(lambda _: _POINT)
        source.add(batch_of(observed))
        totals.append(source.finish(new_drop_table()))
        whole, outside = whole + source.estimated, outside + totals[-1].outside_window
        for flow in observed:
            packet = Passage(Direction.EGRESS, 4, flow.source, 0)
            inside = sum(octets for interval, _, octets in parts_of(flow, borders) if interval is not None)
            parts[part_of(labels, packet)] += inside
            for project in using_projects(labels, packet):
                used[project] += inside
    counted = list(meter.projects)
    assert {project.project_id: project.used.octets for project in counted if project.used.octets} == {
        project: octets for project, octets in used.items() if octets
    }
    several, shared, unmatched = (sum((getattr(each, name) for each in totals), Counts()) for name in ("several", "shared", "unmatched"))
    alone = sum((project.alone for project in counted), Counts())
    assert (alone.octets, several.octets, shared.octets) == (parts[Part.ALONE], parts[Part.SEVERAL], parts[Part.SHARED])
    assert alone + several + shared + unmatched + outside == whole


@settings(max_examples=100, deadline=None)
@given(st.lists(_FLOWS, max_size=30), _BORDERS)
def test_estimated_parts_are_the_whole_once(flows: list[Flow], borders: Borders) -> None:
    """The parts of sampled traffic sum as the rows of usage do: what is used by somebody and what is not are all that was scaled."""
    meter = make_meter(borders, _PROJECT_LABELS[:5])
    source = meter.source(lambda _: _POINT)
    source.add(batch_of(flows))
    totals = source.finish(new_drop_table())
    together = sum((project.alone for project in meter.projects), totals.several + totals.shared + totals.unmatched + totals.outside_window)
    assert abs(together.octets - source.estimated.octets) <= any(_RATES[flow.rate].denominator != 1 for flow in flows)
    assert abs(together.packets - source.estimated.packets) <= any(_RATES[flow.rate].denominator != 1 for flow in flows)


@settings(max_examples=100, deadline=None)
@given(st.lists(_FLOWS, min_size=1, max_size=30))
def test_only_sampled_usage_is_an_estimate(flows: list[Flow]) -> None:
    """A row is an estimate if and only if a sampled flow is in it; else both counts are equal."""
    meter = make_meter(Borders())
    source = meter.source(lambda _: _POINT)
    source.add(batch_of(flows))
    source.finish(new_drop_table())
    for row in rows_of(meter):
        members = (_TEN, _HALF) if row.key.label == 0 else (_HALF,)
        assert row.estimated == any(flow.rate != 0 for flow in flows if flow.source in members)
        assert row.estimated or row.counts == row.observed


def test_many_huge_counts_do_not_overflow() -> None:
    """A thousand records of the highest count that a record may state are summed exactly."""
    meter = make_meter(Borders())
    source = meter.source(lambda _: _POINT)
    flow = Flow(_TEN, 1, MAXIMUM_COUNT, 0, 0, 1)
    source.add(batch_of([flow] * 1000))
    source.finish(new_drop_table())
    (row,) = rows_of(meter)
    assert row.observed == Counts(1000, 1000 * MAXIMUM_COUNT)
    assert row.counts == Counts(100_000, 100_000 * MAXIMUM_COUNT)


def test_a_flow_over_too_many_intervals_is_counted_whole_in_the_last() -> None:
    """Nothing of a flow that spans more intervals than can be split is lost, and it is noted."""
    meter = make_meter(Borders(interval=Nanoseconds(1)))
    source = meter.source(lambda _: _POINT)
    source.add(batch_of([Flow(_TEN, 10, 1000, 0, 1_000_000, 0)]))
    source.finish(new_drop_table())
    (row,) = rows_of(meter)
    assert (row.key.interval, row.counts, source.unsplit_flows) == (999_999, Counts(10, 1000), 1)


def test_the_pair_table_grows_and_empties_without_loss() -> None:
    """More class pairs and intervals than the first table has room for are all counted."""
    meter = make_meter(Borders(interval=Nanoseconds(1)))
    source = meter.source(lambda _: _POINT)
    rows = 700_000
    batch = FlowBatch.empty(rows)
    batch.family.fill(4)
    batch.flow_direction.fill(1)
    batch.source_low.fill(_TEN)
    batch.octets.fill(3)
    batch.start[:] = batch.end[:] = np.arange(rows)
    source.add(batch)
    source.finish(new_drop_table())
    assert len(meter.usage) == rows
    assert meter.usage[rows - 1].counts == Counts(0, 3)
