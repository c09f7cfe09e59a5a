"""A run over files: every input decoded in order, metered, and reported.

Owns the sequence of a run and what is kept from file to file: templates, sampling rates and usage.
"""

import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from venturi.adapters.files.opening import STANDARD_INPUT
from venturi.adapters.reused_memory import ReusedMemory
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.directions import gather_evidence
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.domain.drops import list_drops
from venturi.core.domain.errors import ColumnMappingError, UnknownFormatError, UnreadableFileError, VenturiError
from venturi.core.domain.flow_batch import Exporter, FlowBatch, FlowTables
from venturi.core.domain.progress import Progress
from venturi.core.meter.meter import Meter, MeterConfig, SourceMeter
from venturi.core.meter.settlement import Grouping
from venturi.core.meter.summing import Borders
from venturi.services.offline.inputs import FlowRecordOpener, Input, InputOpener
from venturi.services.offline.notes import RunNotes
from venturi.services.offline.pipeline import Pipeline
from venturi.services.offline.report import MeterReport, ProjectReport, SourceReport
from venturi.services.offline.request import MeterRequest
from venturi.services.offline.sources import MeteredUsage, observation_point
from venturi.services.offline.strictness import list_losses


class OfflineRun:
    """Meters the files of one request; ``run`` may be called once.

    ``failure`` is the error of a file that failed when others had been metered already; the report then is partial.
    """

    def __init__(self, request: MeterRequest, progress: Progress, open_flow_records: FlowRecordOpener) -> None:
        """Prepare to meter by the labels of ``request``; no file is touched yet."""
        self._request = request
        self._progress = progress
        tables = FlowTables()
        outside = [(tables.exporter_number(Exporter(port.family, port.address)), port.interface) for port in request.outside_interfaces]
        evidence = gather_evidence(request.inside, outside)
        config = MeterConfig(
            Borders(request.interval, request.window_start, request.window_end),
            Grouping(*(name in request.grouped_by for name in ("direction", "interval", "observation-point"))),
        )
        self._meter = Meter(config, CompiledClassifier(request.labels), evidence, tables)
        collector = ExportDecoder(_export_config(request), tables, ReusedMemory())
        self._opener = InputOpener(request, tables, collector, open_flow_records)
        self._notes = RunNotes()
        self._sources: list[SourceReport] = []
        self._pipeline = Pipeline(self._decode())
        self._interrupted = False
        self.failure: VenturiError | None = None

    def run(self) -> MeterReport:
        """Meter all files, up to the end, to ``interrupt`` or to a file that fails on the way (``failure``).

        Raises ``UnreadableFileError``, ``UnknownFormatError`` or ``ColumnMappingError`` for a file that cannot be metered,
        before any is, where that can be told beforehand.
        """
        self._check_paths()
        metering: tuple[Input, SourceMeter] | None = None
        try:
            for source, batch in self._pipeline:
                if metering is None or metering[0] is not source:
                    self._finish(metering)
                    metering = source, self._begin(source)
                if batch is not None:
                    metering[1].add(batch)
                    self._progress.update(source.octets_read)
        except (UnreadableFileError, UnknownFormatError, ColumnMappingError) as error:
            self.failure = error
        finally:
            self._pipeline.stop()
        self._finish(metering)
        return self._report(partial=self._interrupted or self.failure is not None)

    def interrupt(self) -> None:
        """End the run after the batch at hand; what was counted until then is reported and marked as partial."""
        self._interrupted = True
        self._pipeline.interrupt()

    def _check_paths(self) -> None:
        if self._request.paths.count(STANDARD_INPUT) > 1:
            message = "standard input can be metered once, but '-' is given twice"
            raise UnreadableFileError(message)
        for path in self._request.paths:
            if path != STANDARD_INPUT and not stat.S_ISFIFO(_mode_of(path)):
                self._opener.check(path)

    def _decode(self) -> Iterator[tuple[Input, FlowBatch | None]]:
        """Decode the inputs one after another; each is given once at least, without a batch at its end."""
        for path in self._request.paths:
            with closing(self._opener.open(path)) as source:
                for batch in source.batches():
                    yield source, batch
                yield source, None

    def _begin(self, source: Input) -> SourceMeter:
        self._progress.begin(source.name, source.octets_total)
        return self._meter.source(lambda exporter: observation_point(exporter, source.name))

    def _finish(self, metering: tuple[Input, SourceMeter] | None) -> None:
        """Settle a source and report it."""
        if metering is None:
            return
        source, metered = metering
        totals = metered.finish(source.drops)
        self._notes.add_source(
            source.name,
            unknown_direction=totals.unknown_direction,
            unsplit_flows=metered.unsplit_flows,
            replaced_times=source.replaced_times,
            untimed=source.untimed,
        )
        self._sources.append(
            SourceReport(
                name=source.name,
                format=source.kind.format,
                metered_as=source.kind.metered_as,
                records=source.records,
                counts=metered.estimated,
                observed=metered.observed,
                unmatched=totals.unmatched,
                not_crossing=totals.not_crossing,
                outside_window=totals.outside_window,
                drops=list_drops(source.drops),
                position_unit=source.kind.position_unit,
                exporters=source.exporters,
                several=totals.several,
                shared=totals.shared,
            )
        )

    def _report(self, *, partial: bool) -> MeterReport:
        usage = MeteredUsage(self._meter, self._request.interval)
        used = {self._meter.classifier.labels[number].id for number in self._meter.usage.label_numbers()}
        notes = self._notes.sentences(self._request.labels, used, list_losses(self._sources))
        projects = tuple(ProjectReport(*counted) for counted in self._meter.projects)
        return MeterReport(usage, tuple(self._sources), self._request.grouped_by, self._request.interval, notes, partial, projects)


def _mode_of(path: str) -> int:
    """Give the kind of a file, 0 where there is none."""
    return Path(path).stat().st_mode if Path(path).exists() else 0


def _export_config(request: MeterRequest) -> ExportConfig:
    default = ExportConfig()
    rates = {Exporter(given.family, given.address): given.rate for given in request.sampling}
    general = rates.pop(Exporter(), default.default_sampling_rate)
    return ExportConfig(default_sampling_rate=general, sampling_rates=rates, needed=request.needed)
