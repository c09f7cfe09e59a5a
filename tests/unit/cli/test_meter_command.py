"""``venturi meter`` as a user runs it: what it prints, writes and refuses."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.packets import Packet, capture_of
from venturi.main import run

_RULES = """
inside: [10.0.0.0/8, "2001:db8::/32"]
labels:
  - name: shop
    rules:
      - {direction: egress, source_ip_prefix: 10.1.0.0/16}
      - {direction: ingress, destination_ip_prefix: 10.1.0.0/16}
  - name: six
    rules:
      - {direction: ingress, destination_ip_prefix: "2001:db8::/32"}
  - name: silent
    rules:
      - {direction: ingress, destination_ip_prefix: 10.99.0.0/16}
"""
_PACKETS = (
    Packet(1_000_000_000, "10.1.0.1", "192.0.2.1", 100),
    Packet(1_000_000_010, "192.0.2.1", "10.1.0.1", 1500),
    Packet(1_000_000_200, "10.1.0.1", "192.0.2.1", 60),
    Packet(1_000_000_400, "2001:db9::1", "2001:db8::1", 80),
    Packet(1_000_000_500, "10.1.0.1", "10.2.0.1", 400),
    Packet(1_000_000_600, "10.2.0.1", "192.0.2.1", 40),
)

Meter = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a rules file and a capture of six packets."""
    (tmp_path / "rules.yaml").write_text(_RULES)
    (tmp_path / "six.pcap").write_bytes(capture_of(_PACKETS))
    return tmp_path


@pytest.fixture
def meter(folder: Path) -> Meter:
    """Run the command on the capture, or on other files of the folder."""

    def run_meter(*options: str, files: Sequence[str] = ("six.pcap",)) -> int:
        return run(["meter", *(str(folder / name) for name in files), "--rules", str(folder / "rules.yaml"), "--quiet", *options])

    return run_meter


def _json(capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401 - JSON is of any form
    return json.loads(capsys.readouterr().out)


def _rows(report: Any, *fields: str) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON is of any form
    return [tuple(row.get(field) for field in fields) for row in report["usage"]]


def test_json_has_a_row_for_each_label_and_direction(meter: Meter, capsys: pytest.CaptureFixture[str]) -> None:
    assert meter("-f", "json") == 0
    report = _json(capsys)
    assert _rows(report, "label", "direction", "packets", "octets", "observed_octets", "estimated") == [
        ("shop", "ingress", 1, 1500, 1500, False),
        ("shop", "egress", 2, 160, 160, False),
        ("six", "ingress", 1, 80, 80, False),
    ]
    (source,) = report["sources"]
    figures = {
        name: source[name] for name in ("format", "records", "packets", "octets", "unmatched_packets", "unmatched_octets", "skipped")
    }
    assert figures == {
        "format": "pcap",
        "records": 6,
        "packets": 6,
        "octets": 2180,
        "unmatched_packets": 1,
        "unmatched_octets": 40,
        "skipped": {},
    }
    assert source["not_crossing_packets"] == 1


def test_intervals_align_to_the_epoch(meter: Meter, capsys: pytest.CaptureFixture[str]) -> None:
    assert meter("-f", "json", "--interval", "5m") == 0
    assert _rows(_json(capsys), "label", "direction", "interval_start", "interval_end", "octets") == [
        ("shop", "ingress", "2001-09-09T01:45:00Z", "2001-09-09T01:50:00Z", 1500),
        ("shop", "egress", "2001-09-09T01:45:00Z", "2001-09-09T01:50:00Z", 100),
        ("shop", "egress", "2001-09-09T01:50:00Z", "2001-09-09T01:55:00Z", 60),
        ("six", "ingress", "2001-09-09T01:50:00Z", "2001-09-09T01:55:00Z", 80),
    ]


def test_what_lies_outside_the_window_is_reported(meter: Meter, capsys: pytest.CaptureFixture[str]) -> None:
    assert meter("-f", "json", "--from", "2001-09-09T01:46:50Z", "--to", "2001-09-09T01:50:01Z") == 0
    report = _json(capsys)
    assert _rows(report, "label", "direction", "octets") == [("shop", "ingress", 1500), ("shop", "egress", 60)]
    (source,) = report["sources"]
    assert (source["outside_window_packets"], source["outside_window_octets"], source["skipped"]) == (4, 620, {"outside_window": 4})


def test_grouping_by_label_alone_sums_directions(meter: Meter, capsys: pytest.CaptureFixture[str]) -> None:
    assert meter("-f", "json", "--group-by", "label") == 0
    assert _rows(_json(capsys), "label", "direction", "octets") == [("shop", None, 1660), ("six", None, 80)]


def test_observation_points_are_the_files(meter: Meter, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "again.pcap.gz").write_bytes(gzip.compress((folder / "six.pcap").read_bytes()))
    assert meter("-f", "json", "--group-by", "label,observation-point", files=("six.pcap", "again.pcap.gz")) == 0
    assert _rows(_json(capsys), "label", "observation_point", "octets") == [
        ("shop", str(folder / "six.pcap"), 1660),
        ("shop", str(folder / "again.pcap.gz"), 1660),
        ("six", str(folder / "six.pcap"), 80),
        ("six", str(folder / "again.pcap.gz"), 80),
    ]


_PROJECTS = """
inside: [10.0.0.0/8, "2001:db8::/32"]
labels:
  - name: shop
    project_id: a
    rules:
      - {direction: egress, source_ip_prefix: 10.1.0.0/16}
      - {direction: ingress, destination_ip_prefix: 10.1.0.0/16}
  - name: window
    project_id: a
    rules: [{direction: egress, source_ip_prefix: 10.1.0.0/24}]
  - name: host
    project_id: b
    rules: [{direction: egress, source_ip_prefix: 10.1.0.1/32}]
  - name: all
    project_id: b
    shared: true
    rules: [{direction: egress, source_ip_prefix: 0.0.0.0/0}]
"""


def test_what_projects_used_and_the_other_parts_add_up(meter: Meter, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "rules.yaml").write_text(_PROJECTS)
    (folder / "again.pcap").write_bytes((folder / "six.pcap").read_bytes())
    assert meter("-f", "json", files=("six.pcap", "again.pcap")) == 0
    report = _json(capsys)
    assert report["projects"] == [
        {"project_id": "a", "used_packets": 6, "used_octets": 3320, "alone_packets": 2, "alone_octets": 3000},
        {"project_id": "b", "used_packets": 4, "used_octets": 320, "alone_packets": 0, "alone_octets": 0},
    ]
    parts = ("several", "shared", "unmatched", "not_crossing", "outside_window")
    for source in report["sources"]:
        assert [source[f"{part}_octets"] for part in parts] == [160, 40, 80, 400, 0]
    for unit in ("packets", "octets"):
        alone = sum(project[f"alone_{unit}"] for project in report["projects"])
        others = sum(source[f"{part}_{unit}"] for source in report["sources"] for part in parts)
        assert alone + others == sum(source[unit] for source in report["sources"])


def test_inside_replaces_the_list_of_the_rules_file(meter: Meter, capsys: pytest.CaptureFixture[str]) -> None:
    """With the other side inside, what was egress does not match a rule of ingress."""
    assert meter("-f", "json", "--inside", "192.0.2.0/24") == 0
    report = _json(capsys)
    assert report["usage"] == []
    assert (report["sources"][0]["unmatched_packets"], report["sources"][0]["not_crossing_packets"]) == (4, 2)


def test_without_inside_the_direction_is_unknown_and_the_output_says_so(
    folder: Path, meter: Meter, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "rules.yaml").write_text(_RULES.replace('inside: [10.0.0.0/8, "2001:db8::/32"]', ""))
    assert meter("-f", "json") == 0
    report = _json(capsys)
    assert _rows(report, "label", "direction", "octets") == [("shop", "unknown", 2060), ("six", "unknown", 80)]
    assert "direction of 6 packets" in report["notes"][0]


def test_a_label_without_traffic_is_noted(meter: Meter, capsys: pytest.CaptureFixture[str]) -> None:
    assert meter("-f", "json") == 0
    assert _json(capsys)["notes"] == ["1 of 3 labels had no traffic: silent"]


def test_output_and_charts_go_to_files(meter: Meter, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files appear whole, with nothing left beside them, and standard output stays empty."""
    charts = [str(folder / f"usage{ending}") for ending in (".svg", ".png", ".html")]
    options = [word for chart in charts for word in ("--chart", chart)]
    assert meter("-f", "parquet", "-o", str(folder / "usage.parquet"), *options) == 0
    assert capsys.readouterr().out == ""
    names = {path.name for path in folder.iterdir()}
    assert names == {"rules.yaml", "six.pcap", "usage.parquet", "usage.svg", "usage.png", "usage.html"}
    assert (folder / "usage.parquet").read_bytes().startswith(b"PAR1")


_REFUSALS = {
    "a missing file": ((), ("gone.pcap",), 4, "gone.pcap: there is no such file"),
    "a file of no known format": ((), ("rules.yaml",), 3, "rules.yaml"),
    "an unknown chart": (("--chart", "usage.pdf"), ("six.pcap",), 3, "usage.pdf: a chart is written as"),
    "a folder that is not there": (("-o", "/nowhere/usage.json"), ("six.pcap",), 4, "there is no folder /nowhere"),
    "parquet on standard output": (("-f", "parquet"), ("six.pcap",), 2, "-f parquet needs -o"),
    "a wrong interval": (("--interval", "5"), ("six.pcap",), 2, "'5' is not a duration"),
    "a wrong prefix": (("--inside", "10.0.0.0/40"), ("six.pcap",), 2, "10.0.0.0/40"),
    "grouping without label": (("--group-by", "direction"), ("six.pcap",), 2, "label"),
    "intervals without length": (("--group-by", "label,interval"), ("six.pcap",), 2, "--interval"),
    "a window that ends before its start": (("--from", "2002-01-01", "--to", "2001-01-01"), ("six.pcap",), 2, "not after"),
    "an interface without exporter": (("--outside-interface", "7"), ("six.pcap",), 2, "EXPORTER:IFINDEX"),
    "a sampling rate below one": (("--sampling-rate", "0"), ("six.pcap",), 2, "at least 1"),
}


@pytest.mark.parametrize(("options", "files", "exit_code", "sentence"), _REFUSALS.values(), ids=_REFUSALS.keys())
def test_refusals(
    meter: Meter, capsys: pytest.CaptureFixture[str], options: Sequence[str], files: Sequence[str], exit_code: int, sentence: str
) -> None:
    """What cannot be done is refused in a sentence, before anything is metered."""
    assert meter(*options, files=files) == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in " ".join(captured.err.replace("│", " ").split())
    assert "Traceback" not in captured.err


def test_strict_fails_after_the_report_is_written(meter: Meter, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A capture that was cut short is metered as far as it goes; with ``--strict`` the exit code says so."""
    (folder / "cut.pcap").write_bytes((folder / "six.pcap").read_bytes()[:-5])
    assert meter("-f", "json", files=("cut.pcap",)) == 0
    assert _json(capsys)["sources"][0]["skipped"] == {"truncated_file": 1}
    assert meter("-f", "json", "--strict", files=("cut.pcap",)) == 6
    captured = capsys.readouterr()
    assert json.loads(captured.out)["sources"][0]["records"] == 5
    assert "truncated_file" in captured.err


def test_output_that_cannot_be_written_is_said(folder: Path) -> None:
    """A full disk behind standard output gives a sentence, not a traceback."""
    command = [sys.executable, "-m", "venturi", "meter", str(folder / "six.pcap"), "--rules", str(folder / "rules.yaml"), "--quiet"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr == "venturi: standard output: cannot be written: No space left on device\n"


def test_what_was_metered_before_a_file_failed_is_reported(meter: Meter, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe cannot be looked into beforehand; if it holds nothing known, the files before it are reported all the same."""
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=(folder / "pipe").write_text, args=("no traffic at all",))
    writer.start()
    assert meter("-f", "json", files=("six.pcap", "pipe")) == 3
    writer.join()
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["partial"], [source["records"] for source in report["sources"]]) == (True, [6])
    assert "pipe: not a file that venturi reads" in captured.err


def test_standard_input_is_metered_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["meter", "-", "-", "--rules", str(folder / "rules.yaml"), "--quiet"]) == 4
    assert "'-' is given twice" in capsys.readouterr().err


def test_a_bad_rules_file_names_line_and_field(meter: Meter, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "rules.yaml").write_text("labels:\n  - name: a\n    rules:\n      - {direction: sideways, source_ip_prefix: 10.0.0.0/8}\n")
    assert meter() == 2
    error = capsys.readouterr().err
    assert "rules.yaml:4" in error
    assert "direction" in error


def test_two_labels_of_one_name_and_project_name_both_lines(meter: Meter, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "rules.yaml").write_text("labels:\n  - {name: a, rules: []}\n  - {name: b, rules: []}\n  - {name: a, rules: []}\n")
    assert meter() == 2
    error = capsys.readouterr().err
    assert "rules.yaml:4" in error
    assert "line 2" in error or ":2" in error
