"""What the meter makes of flows that pass twice, not at all, or were exported twice."""

import numpy as np

from tests.spec.build import label
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.directions import gather_evidence
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.drops import DropReason, list_drops, new_drop_table
from venturi.core.domain.flow_batch import Exporter, FlowBatch, FlowTables
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.point import ObservationPoint, PointKind
from venturi.core.meter.meter import Meter, MeterConfig
from venturi.core.meter.summing import Borders

_POINT = ObservationPoint(name="exporter", kind=PointKind.EXPORTER)
_OUTSIDE, _INSIDE = 7, 1
_AT_INGRESS, _AT_EGRESS = 0, 1
_LABELS = [label("all", "in 0.0.0.0/0 > *", "out 0.0.0.0/0 > *")]


def _flow(interfaces: tuple[int, int], flow_direction: int, octets: int) -> FlowBatch:
    batch = FlowBatch.empty(1)
    batch.family.fill(4)
    batch.packets.fill(1)
    batch.octets.fill(octets)
    batch.input_interface[0], batch.output_interface[0] = interfaces
    batch.flow_direction.fill(flow_direction)
    return batch


def _meter(config: MeterConfig) -> Meter:
    tables = FlowTables()
    exporter = tables.exporter_number(Exporter(4, 1))
    return Meter(config, CompiledClassifier(_LABELS), gather_evidence([], [(exporter, _OUTSIDE)]), tables)


def test_a_flow_in_and_out_is_one_of_each_and_one_in_the_total() -> None:
    """Both directions of the label count it; the source decoded it once."""
    meter = _meter(MeterConfig())
    source = meter.source(lambda _: _POINT)
    source.add(_flow((_OUTSIDE, _OUTSIDE), 255, 500))
    source.finish(new_drop_table())
    found = {DirectionCode(row.key.direction): row.counts for row in (meter.usage[number] for number in range(len(meter.usage)))}
    assert found == {DirectionCode.INGRESS: Counts(1, 500), DirectionCode.EGRESS: Counts(1, 500)}
    assert source.observed == Counts(1, 500)


def test_a_duplicate_export_is_a_drop_and_in_no_total() -> None:
    """The record of the inside interface's metering is dropped; that of the outside interface is counted."""
    meter = _meter(MeterConfig())
    source = meter.source(lambda _: _POINT)
    source.add(FlowBatch.concatenate(_flow((_OUTSIDE, _INSIDE), _AT_INGRESS, 500), _flow((_OUTSIDE, _INSIDE), _AT_EGRESS, 500)))
    drops = new_drop_table()
    source.finish(drops)
    assert [meter.usage[number].counts for number in range(len(meter.usage))] == [Counts(1, 500)]
    assert {reason: drop.count for reason, drop in list_drops(drops).items()} == {DropReason.DUPLICATE_EXPORT: 1}
    assert source.observed == Counts(1, 500)


def test_outside_the_window_counts_a_flow_once() -> None:
    """A flow in both directions that lies outside the window is one record outside it."""
    meter = _meter(MeterConfig(Borders(window_start=Nanoseconds(10))))
    source = meter.source(lambda _: _POINT)
    source.add(_flow((_OUTSIDE, _OUTSIDE), 255, 500))
    drops = new_drop_table()
    totals = source.finish(drops)
    assert int(drops[DropReason.OUTSIDE_WINDOW, 0]) == 1
    assert totals.outside_window == Counts(2, 1000)
    assert np.count_nonzero(drops[:, 0]) == 1
