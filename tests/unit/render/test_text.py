"""Reports as JSON, CSV, plain values, Parquet and tables."""

import csv
import json
import time
from dataclasses import replace
from io import BytesIO, StringIO

import pyarrow.parquet as pq
import pytest

from tests.unit.render.reports import HUGE, LAB, MAIL, WEB, over_time, source, usage, whole
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.usage import UsageColumns
from venturi.interfaces.render.delimited import write_csv, write_values
from venturi.interfaces.render.json_form import spell_usage, write_json
from venturi.interfaces.render.parquet import write_parquet
from venturi.interfaces.render.progress import ProgressLine, Unit
from venturi.interfaces.render.quantities import Units, format_duration, format_octets, format_share
from venturi.interfaces.render.rows import fold_small_labels, usage_fields
from venturi.interfaces.render.table import TableStyle, write_table
from venturi.services.offline.report import MeterReport, ProjectReport


def text_of(report: MeterReport, style: TableStyle) -> str:
    """Give the table of a report as it goes into a pipe."""
    stream = StringIO()
    write_table(report, stream, style)
    return stream.getvalue()


def json_of(report: MeterReport) -> dict[str, object]:
    """Give the JSON form of a report, parsed."""
    stream = StringIO()
    write_json(report, stream)
    parsed: dict[str, object] = json.loads(stream.getvalue())
    return parsed


USAGE_FIELDS = {
    "label": "web",
    "label_id": WEB.id,
    "project_id": "acme",
    "direction": "ingress",
    "interval_start": "2026-03-01T10:00:00Z",
    "interval_end": "2026-03-01T10:05:00Z",
    "packets": 375_000,
    "octets": 3_750_000,
    "observed_packets": 375_000,
    "observed_octets": 3_750_000,
    "estimated": False,
}
SOURCE_FIELDS = {
    "name": "edge.pcap",
    "format": "pcap",
    "metered_as": "packets",
    "records": 1234,
    "packets": 2_000_000,
    "octets": 20_000_000,
    "observed_packets": 2_000_000,
    "observed_octets": 20_000_000,
    "unmatched_packets": 200_000,
    "unmatched_octets": 2_000_000,
    "not_crossing_packets": 0,
    "not_crossing_octets": 0,
    "outside_window_packets": 0,
    "outside_window_octets": 0,
    "several_packets": 30,
    "several_octets": 300,
    "shared_packets": 0,
    "shared_octets": 0,
    "skipped": {"not_ip": 12, "truncated_file": 1},
    "first_skipped": {"not_ip": 3, "truncated_file": 5678},
    "position_unit": "frame",
    "exporters": [
        {"exporter": "192.0.2.9", "observation_domain": 7, "version": "v9", "messages": 100, "lost": 3, "unit": "datagrams"},
        {"exporter": "192.0.2.8", "observation_domain": 0, "version": "v9", "messages": 100, "lost": 0, "unit": "datagrams"},
    ],
}


PROJECT_FIELDS = {"project_id": "acme", "used_packets": 100, "used_octets": 1000, "alone_packets": 70, "alone_octets": 700}


def test_json_has_the_stated_form() -> None:
    project = ProjectReport("acme", Counts(100, 1000), Counts(70, 700))
    sources = (source(20_000_000, several=Counts(30, 300)),)
    parsed = json_of(replace(over_time(), usage=over_time().usage[:1], sources=sources, projects=(project,)))
    assert parsed == {"usage": [USAGE_FIELDS], "sources": [SOURCE_FIELDS], "projects": [PROJECT_FIELDS], "partial": True, "notes": []}


@pytest.mark.parametrize("report", [whole(), over_time()], ids=["whole", "over time"])
def test_json_spells_every_row_as_its_fields_are(report: MeterReport) -> None:
    strange = replace(WEB, id="", name='a "quoted" \udc80 name', project_id="")
    rows = [*report.usage, *(record._replace(label=strange, observation_point="edge\n") for record in report.usage), *report.usage]
    assert spell_usage(UsageColumns.of(rows)) == [json.dumps(usage_fields(record)) for record in rows]


def test_json_of_nothing() -> None:
    assert json_of(MeterReport((), (), ("label",), None)) == {"usage": [], "sources": [], "projects": [], "partial": False, "notes": []}


def test_json_counts_have_any_size() -> None:
    usage_rows = json_of(replace(whole(), usage=(usage(WEB, Direction.EGRESS, HUGE),)))["usage"]
    assert isinstance(usage_rows, list)
    assert usage_rows[0]["octets"] == HUGE


def test_csv_has_a_column_for_each_field_that_applies() -> None:
    stream = StringIO()
    write_csv(whole(), stream)
    header, first, second, third, _ = csv.reader(StringIO(stream.getvalue()))
    counts = ["packets", "octets", "observed_packets", "observed_octets", "estimated"]
    assert header == ["label", "label_id", "project_id", "direction", *counts]
    assert first == ["web", WEB.id, "acme", "ingress", "500000", "5000000", "500000", "5000000", "false"]
    assert second[-3:] == ["10000", "100000", "true"]
    assert third[:3] == [MAIL.name, MAIL.id, ""]


def test_values_are_set_apart_by_tabs() -> None:
    stream = StringIO()
    write_values(over_time(), stream)
    assert stream.getvalue().splitlines()[0] == "web\tingress\t2026-03-01T10:00:00Z\t375000\t3750000"


def test_quick_work_shows_no_progress_and_slow_work_does() -> None:
    quick, slow = Terminal(), Terminal()
    with ProgressLine(quick, unit=Unit.ROWS, patience=60) as line:
        line.begin("exporting", None)
        line.update(7)
    assert quick.getvalue() == ""
    with ProgressLine(slow, unit=Unit.ROWS, patience=0.01) as line:
        line.begin("exporting", 10)
        line.update(7)
        deadline = time.monotonic() + 30
        while "7/10" not in slow.getvalue():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert "exporting" in slow.getvalue()
    assert "rows" in slow.getvalue()


@pytest.mark.parametrize(("octets", "kind"), [(1 << 60, "int64"), (HUGE, "decimal128(38, 0)")], ids=["that fit", "that do not"])
def test_parquet_holds_counts(octets: int, kind: str) -> None:
    stream = BytesIO()
    write_parquet(replace(over_time(), usage=(usage(WEB, Direction.EGRESS, octets, 1),)), stream)
    table = pq.read_table(BytesIO(stream.getvalue()))
    assert str(table.schema.field("octets").type) == kind
    assert int(table["octets"][0].as_py()) == octets
    assert str(table["interval_start"][0]) == "2026-03-01 10:05:00+00:00"
    assert table.column_names[:4] == ["label", "label_id", "project_id", "direction"]


def test_the_table_has_what_several_projects_used_and_the_parts_of_the_total() -> None:
    projects = (ProjectReport("a", Counts(30, 300), Counts(10, 100)), ProjectReport("", Counts(70, 700), Counts(50, 500)))
    parts = source(1_000, several=Counts(20, 200), shared=Counts(10, 100), unmatched=Counts(10, 100))
    report = replace(whole(), sources=(parts,), projects=projects)
    lines = [" ".join(line.split()) for line in text_of(report, TableStyle(width=100)).splitlines()]
    first = lines.index("project used packets used alone packets alone share")
    assert [line for line in lines[first : first + 9] if line.strip("─ ")] == [
        "project used packets used alone packets alone share",
        "no project 70 700 B 50 500 B 50.0 %",
        "a 30 300 B 10 100 B 10.0 %",
        "several projects 20 200 B 20.0 %",
        "shared labels only 10 100 B 10.0 %",
        "unmatched 10 100 B 10.0 %",
    ]
    assert "alone packets" not in text_of(replace(report, projects=projects[:1]), TableStyle(width=100))


def test_the_table_reads_from_usage_over_total_to_losses() -> None:
    lines = text_of(whole(), TableStyle(width=80)).splitlines()
    assert [" ".join(line.split()) for line in lines if line.strip(" ─")] == [
        "edge.pcap: pcap, metered as packets, 1,234 records",
        "label direction packets octets share",
        "web ingress 500,000 5.00 MB 50.0 %",
        "egress ~100,000 ~1.00 MB 10.0 %",
        "mail, <b>old</b> ingress 200,000 2.00 MB 20.0 %",
        "lab ingress 100,000 1.00 MB 10.0 %",
        "total traffic 1,000,000 10.0 MB 100.0 %",
        "unmatched 100,000 1.00 MB 10.0 %",
        "skipped:",
        "12 not ip, first at frame 3 of edge.pcap",
        "1 truncated file, first at frame 5,678 of edge.pcap",
        "lost on the way:",
        "192.0.2.9 domain 7 (v9): 3 datagrams lost",
        "Note: a note",
    ]


@pytest.mark.parametrize("width", [20, 80, 140])
@pytest.mark.parametrize("units", Units)
def test_no_count_is_cut_at_any_width(width: int, units: Units) -> None:
    text = text_of(over_time(), TableStyle(units, width))
    for record in over_time().usage:
        assert f" {record.counts.packets:,} " in text
        assert f" {format_octets(record.counts.octets, units)} " in text


@pytest.mark.parametrize("width", [80, 140])
def test_lines_keep_to_the_width(width: int) -> None:
    assert max(map(len, text_of(over_time(), TableStyle(width=width)).splitlines())) <= width


def test_a_table_in_a_pipe_has_no_colour_and_says_what_is_partial() -> None:
    text = text_of(over_time(), TableStyle())
    assert "\x1b" not in text
    assert "Interrupted: only what was counted until then." in text


def test_losses_beyond_unmatched_are_told_where_there_are_any() -> None:
    lost = replace(whole(), sources=(source(10_000_000, not_crossing=Counts(1, 40), outside_window=Counts(2, 80)),))
    lines = [line.split() for line in text_of(lost, TableStyle(width=80)).splitlines()]
    assert ["not", "crossing", "1", "40", "B", "<0.1", "%"] in lines
    assert ["outside", "window", "2", "80", "B", "<0.1", "%"] in lines


def test_small_labels_are_folded_row_by_row() -> None:
    folded = fold_small_labels(whole(), 1)
    assert [(row.label.name, row.direction, row.counts.octets) for row in folded.usage] == [
        ("web", Direction.INGRESS, 5_000_000),
        ("web", Direction.EGRESS, 1_000_000),
        ("other", Direction.INGRESS, 3_000_000),
    ]
    assert fold_small_labels(whole(), 3) == whole()
    assert f"\n{LAB.name} " not in text_of(folded, TableStyle(width=80))


OCTETS = {
    "nothing": (0, Units.SI, "0 B"),
    "below a step": (999, Units.SI, "999 B"),
    "a step": (1000, Units.SI, "1.00 kB"),
    "just below the next": (999_499, Units.SI, "999 kB"),
    "rounds into the next": (999_500, Units.SI, "1.00 MB"),
    "binary": (1536, Units.IEC, "1.50 KiB"),
    "below a binary step": (1023, Units.IEC, "1023 B"),
    "in full": (1_234_567, Units.OCTETS, "1,234,567"),
    "beyond every unit": (10**22, Units.SI, "10000 EB"),
    "half up": (12_350, Units.SI, "12.4 kB"),
}


@pytest.mark.parametrize(("octets", "units", "text"), OCTETS.values(), ids=OCTETS.keys())
def test_octets_are_spelled(octets: int, units: Units, text: str) -> None:
    assert format_octets(octets, units) == text


@pytest.mark.parametrize(
    ("part", "whole_count", "text"), [(0, 0, "–"), (0, 9, "0.0 %"), (1, 3, "33.3 %"), (1, 10**6, "<0.1 %"), (3, 3, "100.0 %")]
)
def test_shares_are_spelled(part: int, whole_count: int, text: str) -> None:
    assert format_share(part, whole_count) == text


@pytest.mark.parametrize(("seconds", "text"), [(30, "30 s"), (300, "5 min"), (3600, "1 h"), (86_400, "1 d"), (90, "90 s")])
def test_durations_are_spelled(seconds: int, text: str) -> None:
    assert format_duration(seconds * 10**9) == text


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Tell that it is one."""
        return True


@pytest.mark.parametrize(("stream", "quiet", "shown"), [(StringIO(), False, False), (Terminal(), True, False), (Terminal(), False, True)])
def test_progress_shows_on_a_terminal_only(stream: StringIO, quiet: bool, shown: bool) -> None:
    with ProgressLine(stream, quiet=quiet) as line:
        line.begin("a" * 50, 1000)
        line.update(500)
    assert bool(stream.getvalue()) is shown
