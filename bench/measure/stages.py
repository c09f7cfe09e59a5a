"""``python -m bench.measure.stages CAPTURE RULES KIND``: where the time of one thread goes, stage by stage.

Owns the clock around each stage; the stages are those of ``venturi meter``, run one after the other instead of side by side. ``KIND`` is
``flows`` or ``packets``. Prints seconds by stage as JSON.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
from numpy.typing import NDArray

from venturi.adapters.files.buffers import Decode, decode_stream
from venturi.adapters.files.opening import open_input
from venturi.adapters.files.rules_file import load_rules
from venturi.adapters.reused_memory import ReusedMemory
from venturi.core.classify.batch import ClassPairs
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.directions import gather_evidence
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.decode.decoder import StreamDecoder
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.exported import ExportedFlowDecoder
from venturi.core.decode.needed import NeededColumns
from venturi.core.domain.flow_batch import Exporter, FlowBatch, FlowTables
from venturi.core.domain.point import ObservationPoint, PointKind
from venturi.core.meter.meter import Meter, MeterConfig
from venturi.core.rules.document import RulesDocument

_NEEDED = NeededColumns(times=False, interfaces=False)


class Stopwatch:
    """Seconds by stage; a stage within another is taken off the outer one."""

    def __init__(self) -> None:
        """Begin with nothing measured."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner: list[float] = []

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        began = time.perf_counter()
        self._inner.append(0.0)
        yield
        elapsed = time.perf_counter() - began
        self.seconds[stage] += elapsed - self._inner.pop()
        if self._inner:
            self._inner[-1] += elapsed


class TimedMeter(Meter):
    """A meter whose first two stages are timed; ``stopwatch`` is set before it is used."""

    stopwatch: Stopwatch

    def directions(self, batch: FlowBatch) -> NDArray[np.uint8]:
        """Time ``Meter.directions``."""
        with self.stopwatch.measure("direction"):
            return super().directions(batch)

    def classify(self, batch: FlowBatch, directions: NDArray[np.uint8]) -> ClassPairs:
        """Time ``Meter.classify``."""
        with self.stopwatch.measure("classify"):
            return super().classify(batch, directions)


def profile(capture: str, rules_path: str, kind: str) -> Stopwatch:
    """Meter a capture in one thread, each stage under the clock."""
    stopwatch = Stopwatch()
    with stopwatch.measure("rules file"):
        rules = load_rules([rules_path])
    tables = FlowTables()
    meter = _make_meter(rules, tables, stopwatch)
    with stopwatch.measure("compile the rules"):
        Meter.classify(meter, FlowBatch.empty(0), np.empty(0, dtype=np.uint8))
    decoder = _make_decoder(kind, tables)
    source = meter.source(lambda _: ObservationPoint(name=capture, kind=PointKind.CAPTURE))
    with closing(open_input(capture)) as stream, stopwatch.measure("read"):
        for batch in decode_stream(stream, _timed(decoder, stopwatch)):
            with stopwatch.measure("sum"):
                source.add(batch)
    with stopwatch.measure("settle"):
        source.finish(decoder.drops)
    return stopwatch


def _make_meter(rules: RulesDocument, tables: FlowTables, stopwatch: Stopwatch) -> TimedMeter:
    meter = TimedMeter(MeterConfig(), CompiledClassifier(rules.labels), gather_evidence(rules.inside, ()), tables)
    meter.stopwatch = stopwatch
    return meter


def _make_decoder(kind: str, tables: FlowTables) -> StreamDecoder:
    if kind == "packets":
        return PacketDecoder(exporter=tables.exporter_number(Exporter()), needed=_NEEDED, memory=ReusedMemory())
    return ExportedFlowDecoder(ExportDecoder(ExportConfig(needed=_NEEDED), tables, ReusedMemory()))


def _timed(decoder: StreamDecoder, stopwatch: Stopwatch) -> Decode[FlowBatch]:
    def decode(buffer: NDArray[np.uint8], /, *, final: bool) -> tuple[FlowBatch, int]:
        with stopwatch.measure("decode"):
            return decoder.decode(buffer, final=final)

    return decode


def main(tiny: str, capture: str, rules_path: str, kind: str) -> None:
    """Profile a tiny capture to have everything compiled, then the capture itself, and print its seconds."""
    profile(tiny, rules_path, kind)
    print(json.dumps(profile(capture, rules_path, kind).seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
