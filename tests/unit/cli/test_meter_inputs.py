"""What ``venturi meter`` makes of files that lie, have no times, are of other versions or are damaged."""

import gzip
import json
import lzma
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.unit.decode_capture.building import (
    ETHERNET_V4,
    FIRST_TIME,
    block,
    enhanced,
    file_header,
    interface,
    ipv4,
    option,
    pcap,
    record,
    section,
)
from tests.unit.decode_export.building import a_set, template, v9
from tests.unit.decode_export.building import record as flow_record
from tests.unit.decode_export.test_sflow import flow, sampled_ipv4, sflow
from venturi.main import run

FRAME = ETHERNET_V4 + ipv4(bytes(80))
TICKS = FIRST_TIME * 1_000_000
TIMED = enhanced(FRAME, TICKS)
SIMPLE = block(3, struct.pack("<I", len(FRAME)) + FRAME)
AROUND = ("2023-11-14T22:10:00Z", "2023-11-14T22:15:00Z")
RULES = """
labels:
  - name: all
    rules: [{direction: ingress, source_ip_prefix: 0.0.0.0/0}, {direction: egress, source_ip_prefix: 0.0.0.0/0}]
"""

Report = Callable[..., Any]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Meter the content of a file by a label that counts everything, and give the report as JSON."""

    def meter(content: bytes, *options: str) -> Any:  # noqa: ANN401 - JSON is of any form
        output = tmp_path / "report.json"
        assert run(_command(tmp_path, content, "-f", "json", "-o", str(output), *options)) == 0
        return json.loads(output.read_text())

    return meter


def _command(folder: Path, content: bytes, *options: str) -> list[str]:
    (folder / "rules.yaml").write_text(RULES)
    (folder / "F").write_bytes(content)
    return ["meter", str(folder / "F"), "--rules", str(folder / "rules.yaml"), "--quiet", *options]


def _rows(found: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - JSON is of any form
    return [(row.get("interval_start"), row.get("interval_end"), row["packets"], row["octets"]) for row in found["usage"]]


def test_a_forged_length_inflates_nothing(report: Report) -> None:
    forged = ETHERNET_V4 + ipv4(bytes(26), total=65_535)
    found = report(pcap([FRAME, *[forged] * 100]))
    (source,) = found["sources"]
    assert (source["packets"], source["octets"]) == (1, 100)
    assert (source["skipped"], source["first_skipped"]) == ({"bad_ip_header": 100}, {"bad_ip_header": 2})
    assert _rows(found) == [(None, None, 1, 100)]


UNTIMED = {
    "a simple packet block": (section() + interface() + TIMED + SIMPLE, 1),
    "a time after 2^62 ns": (section() + interface() + TIMED + enhanced(FRAME, 1 << 63), 1),
    "an odd resolution": (section() + interface() + interface(option(9, b"\x7f")) + TIMED + enhanced(FRAME, TICKS, interface_number=1), 1),
}


@pytest.mark.parametrize(("content", "untimed"), UNTIMED.values(), ids=UNTIMED.keys())
def test_packets_without_a_time(report: Report, content: bytes, untimed: int) -> None:
    """They are in every total, in a row without interval, outside of any window, and told."""
    note = f"{untimed} packets have no time, or one that cannot be"
    assert _rows(report(content)) == [(None, None, 2, 200)]
    by_interval = report(content, "--interval", "5m")
    assert _rows(by_interval) == [(None, None, untimed, 100 * untimed), (*AROUND, 1, 100)]
    assert any(note in sentence for sentence in by_interval["notes"])
    assert by_interval["sources"][0]["skipped"] == {}
    for window in (("--from", AROUND[0]), ("--to", AROUND[1]), ("--from", AROUND[0], "--to", AROUND[1])):
        within = report(content, *window)
        assert _rows(within) == [(None, None, 1, 100)]
        assert within["sources"][0]["outside_window_octets"] == 100 * untimed


def test_the_interval_of_packets_without_a_time_in_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = {"value": "all\tunknown\t-\t1\t100\n", "csv": "all,", "table": "no time"}
    for form, beginning in expected.items():
        assert run(_command(tmp_path, section() + interface() + SIMPLE, "-f", form, "--interval", "5m")) == 0
        assert beginning in capsys.readouterr().out
    chart = tmp_path / "chart.svg"
    assert run(_command(tmp_path, section() + interface() + SIMPLE + TIMED, "--interval", "5m", "--chart", str(chart))) == 0
    assert "1970" not in chart.read_text()


def test_samples_of_sflow_in_a_bare_file_have_no_time(report: Report) -> None:
    found = report(sflow(flow(sampled_ipv4(500), rate=10)), "--interval", "5m")
    assert _rows(found) == [(None, None, 10, 5000)]
    assert any("1 packets have no time" in sentence for sentence in found["notes"])


@pytest.mark.parametrize("version", [(1, 4), (2, 5), (3, 0)])
def test_a_pcap_file_of_another_version_is_refused(tmp_path: Path, version: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(_command(tmp_path, file_header(version=version) + record(FRAME))) != 0
    assert f"F: a pcap file of version {version[0]}.{version[1]}; venturi reads versions 2.0 to 2.4" in capsys.readouterr().err


def test_a_section_of_another_version_is_skipped(report: Report) -> None:
    found = report(section() + interface() + TIMED + section(version=(2, 0)) + interface() + TIMED + section() + interface() + TIMED)
    assert _rows(found) == [(None, None, 2, 200)]
    assert found["sources"][0]["skipped"] == {"unknown_version": 1}


COMPRESSED = {"gzip": gzip.compress, "zstd": zstandard.compress, "xz": lzma.compress}


@pytest.mark.parametrize("damage", ["cut", "changed"])
@pytest.mark.parametrize("compress", COMPRESSED.values(), ids=COMPRESSED.keys())
def test_a_compressed_file_damaged_at_its_beginning_is_not_called_empty(
    tmp_path: Path, compress: Callable[[bytes], bytes], damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = compress(bytes(range(256)) * 400)
    content = whole[:11] if damage == "cut" else whole[:10] + b"\xff" * 40 + whole[50:]
    assert run(_command(tmp_path, content)) != 0
    assert "F: damaged or cut: nothing could be decompressed" in capsys.readouterr().err


@pytest.mark.parametrize("compress", COMPRESSED.values(), ids=COMPRESSED.keys())
def test_a_compressed_file_of_nothing_is_empty(
    tmp_path: Path, compress: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(_command(tmp_path, compress(b""))) != 0
    assert "F: the file is empty" in capsys.readouterr().err


def test_a_note_on_losses_names_strict(report: Report) -> None:
    found = report(pcap([FRAME, ETHERNET_V4 + ipv4(first=0x44)]) + b"\0" * 15)
    assert found["notes"][1].endswith("F: 1 skipped: truncated_file, first at frame 3 (and 1 more); with --strict such a run fails")
    assert not any("--strict" in sentence for sentence in report(pcap([FRAME, bytes(60)]))["notes"])


WIRELESS = ((365, 6), (1, 4), (2, 4))
WIRED = ((8, 4), (12, 4), (1, 4), (2, 4))


@pytest.mark.parametrize("options", [(), ("--inside", "10.0.0.0/8"), ("--interval", "5m")], ids=["plain", "inside", "interval"])
def test_flow_records_without_addresses_are_unmatched(report: Report, options: tuple[str, ...]) -> None:
    wireless = a_set(257, flow_record(WIRELESS, 0x020000000001, 4000, 4) * 2)
    wired = a_set(256, flow_record(WIRED, "10.0.0.1", "192.0.2.1", 500, 5))
    found = report(v9(template(WIRED, version=9), template(WIRELESS, 257, version=9), wireless, wired), *options)
    (source,) = found["sources"]
    assert (source["records"], source["packets"], source["octets"]) == (3, 13, 8500)
    assert (source["unmatched_packets"], source["unmatched_octets"]) == (8, 8000)
    assert [(row["packets"], row["octets"]) for row in found["usage"]] == [(5, 500)]
    assert source["skipped"] == {}


def test_rows_without_addresses_are_unmatched(report: Report) -> None:
    rows = ["start,end,source_address,destination_address,packets,octets", "1,2,10.0.0.1,192.0.2.1,5,500", "1,2,,,8,8000"]
    found = report("\n".join(rows).encode())
    (source,) = found["sources"]
    assert (source["octets"], source["unmatched_octets"], source["skipped"]) == (8500, 8000, {})
    assert [(row["packets"], row["octets"]) for row in found["usage"]] == [(5, 500)]
