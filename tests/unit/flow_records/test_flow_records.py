"""Files of flow records: one flow in every spelling, what is dropped and why, and which columns are found."""

import contextlib
import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.keeping import keeps_failures
from tests.unit.flow_records.reading import read, write
from venturi.adapters.files.flow_records_sources import ROWS_PER_BATCH
from venturi.core.decode.format import COLUMNAR_FORMATS, InputFormat, detect
from venturi.core.domain.drops import Drop, DropReason
from venturi.core.domain.errors import ColumnMappingError, UnknownFormatError
from venturi.core.domain.flow_batch import NO_FLOW_DIRECTION, NO_INTERFACE, Exporter
from venturi.core.domain.interval import parse_time

START, END = parse_time("2026-03-01T10:00:00.250Z"), parse_time("2026-03-01T10:00:07Z")
SOURCE, DESTINATION = 0x0A000001, 0xC0000201
FLOW: dict[str, Any] = {
    "start": START,
    "end": END,
    "source_address": "10.0.0.1",
    "destination_address": "192.0.2.1",
    "packets": 7,
    "octets": 4200,
}
CSV = InputFormat.CSV


def table(**changes: Any) -> pa.Table:  # noqa: ANN401 - any value that Arrow takes
    """Make a table of one flow, with some of its columns changed; None leaves a column out."""
    columns = {name: value for name, value in {**FLOW, **changes}.items() if value is not None}
    return pa.table({name: value if isinstance(value, pa.Array) else pa.array([value]) for name, value in columns.items()})


@pytest.mark.parametrize("kind", sorted(COLUMNAR_FORMATS))
def test_every_format_holds_the_same_flow(kind: InputFormat) -> None:
    content = write(table(), kind)
    flows = read(content, kind).flows
    assert detect(content[:512]) is kind
    assert (flows.family[0], flows.source_low[0], flows.destination_low[0], flows.source_high[0]) == (4, SOURCE, DESTINATION, 0)
    assert (flows.packets[0], flows.octets[0], flows.start[0], flows.end[0]) == (7, 4200, START, END)
    assert (flows.input_interface[0], flows.output_interface[0], flows.flow_direction[0], flows.sampling[0]) == (
        NO_INTERFACE,
        NO_INTERFACE,
        NO_FLOW_DIRECTION,
        0,
    )


START_SPELLINGS = {
    "RFC 3339": "2026-03-01T10:00:00.250Z",
    "RFC 3339 with an offset": "2026-03-01T11:00:00.250+01:00",
    "lower case": "2026-03-01t10:00:00.25z",
    "without a zone": "2026-03-01 10:00:00.250",
    "milliseconds": START // 10**6,
    "microseconds": START // 10**3,
    "nanoseconds": START,
    "digits": str(START // 10**6),
    "seconds as a float": START / 10**9,
    "timestamp without a zone": pa.array([START // 10**3], pa.timestamp("us")),
    "timestamp with a zone": pa.array([START // 10**6], pa.timestamp("ms", tz="Europe/Paris")),
    "dictionary": pa.array(["2026-03-01T10:00:00.250Z"]).dictionary_encode(),
    "unsigned": pa.array([START], pa.uint64()),
}


@pytest.mark.parametrize("spelling", START_SPELLINGS.values(), ids=START_SPELLINGS.keys())
def test_time_as(spelling: object) -> None:
    assert read(write(table(start=spelling), InputFormat.PARQUET), InputFormat.PARQUET).flows.start.tolist() == [START]


SOURCE_SPELLINGS = {
    "text": ("10.0.0.1", 4, SOURCE),
    "text with blanks": (" 10.0.0.1 ", 4, SOURCE),
    "four octets": (pa.array([b"\x0a\0\0\x01"], pa.binary(4)), 4, SOURCE),
    "four octets of any": (pa.array([b"\x0a\0\0\x01"], pa.binary()), 4, SOURCE),
    "uint32": (pa.array([SOURCE], pa.uint32()), 4, SOURCE),
    "digits": (str(SOURCE), 4, SOURCE),
    "dictionary": (pa.array(["10.0.0.1"]).dictionary_encode(), 4, SOURCE),
    "mapped into IPv6": ("::ffff:10.0.0.1", 4, SOURCE),
    "mapped into sixteen octets": (pa.array([bytes(10) + b"\xff\xff\x0a\0\0\x01"], pa.binary(16)), 4, SOURCE),
}


@pytest.mark.parametrize(("spelling", "family", "address"), SOURCE_SPELLINGS.values(), ids=SOURCE_SPELLINGS.keys())
def test_ipv4_address_as(spelling: object, family: int, address: int) -> None:
    flows = read(write(table(source_address=spelling), InputFormat.PARQUET), InputFormat.PARQUET).flows
    assert (flows.family.tolist(), flows.source_high.tolist(), flows.source_low.tolist()) == ([family], [0], [address])


@pytest.mark.parametrize("spelling", ["2001:db8::1", pa.array([bytes.fromhex("20010db8") + bytes(11) + b"\x01"], pa.binary(16))])
def test_ipv6_address_as(spelling: object) -> None:
    changed = table(source_address=spelling, destination_address="2001:DB8:0::2")
    flows = read(write(changed, InputFormat.PARQUET), InputFormat.PARQUET).flows
    assert (flows.family[0], flows.source_high[0], flows.source_low[0]) == (6, 0x20010DB8 << 32, 1)
    assert (flows.destination_high[0], flows.destination_low[0]) == (0x20010DB8 << 32, 2)


DROPPED = {
    "source no address": ({"source_address": "10.0.0.256"}, DropReason.BAD_VALUE),
    "source of five octets": ({"source_address": pa.array([b"abcde"], pa.binary())}, DropReason.BAD_VALUE),
    "two families": ({"source_address": "2001:db8::1"}, DropReason.BAD_VALUE),
    "family contradicts": ({"family": 6}, DropReason.BAD_VALUE),
    "octets negative": ({"octets": -1}, DropReason.COUNTER_OUT_OF_RANGE),
    "octets above 2^56": ({"octets": (1 << 56) + 1}, DropReason.COUNTER_OUT_OF_RANGE),
    "octets above 2^63": ({"octets": pa.array([1 << 63], pa.uint64())}, DropReason.COUNTER_OUT_OF_RANGE),
    "octets of thirty digits": ({"octets": "9" * 30}, DropReason.COUNTER_OUT_OF_RANGE),
    "octets scaled": ({"octets": "1.2 M"}, DropReason.BAD_VALUE),
    "octets with a fraction": ({"octets": 1.5}, DropReason.BAD_VALUE),
    "octets not a number": ({"octets": float("nan")}, DropReason.BAD_VALUE),
    "octets missing": ({"octets": pa.array([None], pa.int64())}, DropReason.BAD_VALUE),
    "both counts missing": ({"octets": pa.array([None], pa.int64()), "packets": pa.array([None], pa.int64())}, DropReason.NO_COUNTS),
    "start no time": ({"start": "yesterday"}, DropReason.BAD_VALUE),
    "start in month 13": ({"start": "2026-13-01 00:00:00"}, DropReason.BAD_VALUE),
    "start before the epoch": ({"start": -1}, DropReason.BAD_VALUE),
    "start missing": ({"start": pa.array([None], pa.timestamp("ns"))}, DropReason.BAD_VALUE),
    "interface a word": ({"input_interface": "eth0"}, DropReason.BAD_VALUE),
    "exporter no address": ({"exporter": "router7"}, DropReason.BAD_VALUE),
    "sampling rate a word": ({"sampling_rate": "often"}, DropReason.BAD_VALUE),
}


@pytest.mark.parametrize(("changes", "reason"), DROPPED.values(), ids=DROPPED.keys())
def test_is_dropped(changes: dict[str, Any], reason: DropReason) -> None:
    flows, drops, _ = read(write(table(**changes), InputFormat.PARQUET), InputFormat.PARQUET)
    assert (len(flows), drops) == (0, {reason: Drop(1, 1)})


@pytest.mark.parametrize("side", ["source_address", "destination_address"])
def test_a_flow_of_an_unknown_address_has_no_family(side: str) -> None:
    flows, drops, _ = read(write(table(**{side: pa.array([None], pa.string())}), InputFormat.PARQUET), InputFormat.PARQUET)
    assert (flows.family.tolist(), flows.octets.tolist(), drops) == ([0], [4200], {})
    assert (flows.source_low.tolist(), flows.destination_low.tolist()) == ([0], [0])


def test_the_highest_count_is_kept() -> None:
    assert read(write(table(octets=1 << 56), InputFormat.PARQUET), InputFormat.PARQUET).flows.octets.tolist() == [1 << 56]


def test_a_flow_that_ends_before_it_starts_is_placed_at_its_end() -> None:
    flows = read(write(table(start=END + 10, end=END), InputFormat.PARQUET), InputFormat.PARQUET).flows
    assert (flows.start.tolist(), flows.end.tolist()) == ([END], [END])


def test_options_are_read() -> None:
    options = {"exporter": "192.0.2.9", "input_interface": 3, "output_interface": 4, "flow_direction": "egress", "sampling_rate": 1000}
    flows, drops, tables = read(write(table(**options), CSV), CSV)
    assert (flows.input_interface[0], flows.output_interface[0], flows.flow_direction[0]) == (3, 4, 1)
    assert tables.exporters[flows.exporter[0]] == Exporter(4, 0xC0000209)
    assert tables.sampling_rates[flows.sampling[0]] == Fraction(1000)
    assert drops == {}


def test_positions_count_rows_over_batches() -> None:
    rows = ROWS_PER_BATCH + 10
    octets = np.arange(rows)
    octets[ROWS_PER_BATCH + 4] = -1
    columns = {name: [value] * rows for name, value in FLOW.items()} | {"octets": octets}
    flows, drops, _ = read(write(pa.table(columns), InputFormat.PARQUET), InputFormat.PARQUET)
    assert drops == {DropReason.COUNTER_OUT_OF_RANGE: Drop(1, ROWS_PER_BATCH + 5)}
    assert int(flows.octets.sum()) == rows * (rows - 1) // 2 - (ROWS_PER_BATCH + 4)


LINE = "2026-03-01 10:00:00,2026-03-01 10:00:07,10.0.0.1,192.0.2.1,7,4200"
HEADERS = {
    "stated names": "start,end,source_address,destination_address,packets,octets",
    "IPFIX": "flowStartMilliseconds,flowEndMilliseconds,sourceIPv4Address,destinationIPv4Address,packetDeltaCount,octetDeltaCount",
    "nfdump": "ts,te,sa,da,ipkt,ibyt",
    "other case and blanks": "START , End,SA,DA, IPKT,ibyt",
    "quoted": '"start","end","sa","da","packets","octets"',
    "after a byte order mark and blank lines": "\ufeff\r\n\r\nstart,end,sa,da,packets,octets",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_columns_are_found_by(header: str) -> None:
    content = f"{header}\r\n{LINE}\r\n".encode()
    flows = read(content, CSV).flows
    assert detect(content) is CSV
    assert (flows.octets.tolist(), flows.source_low.tolist()) == ([4200], [SOURCE])


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_fields_may_be_set_apart_by(delimiter: str) -> None:
    content = f"{HEADERS['nfdump']}\n{LINE}\n".replace(",", delimiter).encode()
    assert read(content, CSV).flows.octets.tolist() == [4200]


def test_columns_of_both_families() -> None:
    header = (
        "flowStartSeconds,flowEndSeconds,sourceIPv4Address,sourceIPv6Address,destinationIPv4Address,destinationIPv6Address,packets,octets"
    )
    rows = ["1,2,10.0.0.1,,192.0.2.1,,1,1", "1,2,,2001:db8::1,,2001:db8::2,1,1", "1,2,0.0.0.0,2001:db8::1,0.0.0.0,2001:db8::2,1,1"]
    flows = read("\n".join([header, *rows]).encode(), CSV).flows
    assert (flows.family.tolist(), flows.source_low.tolist()) == ([4, 6, 6], [SOURCE, 1, 1])
    assert flows.start.tolist() == [10**9] * 3


def test_a_mapping_goes_first() -> None:
    content = write(table(volume=99), CSV)
    assert read(content, CSV, {"octets": "volume"}).flows.octets.tolist() == [99]


MAPPING_ERRORS = {
    "column missing": (
        {"octets": None},
        {},
        (
            "F: there is no column for field 'octets'; name one with --column FIELD=COLUMN; the columns are 'start', 'end', "
            "'source_address', 'destination_address', 'packets'"
        ),
    ),
    "chosen column missing": ({}, {"octets": "volume"}, "F: there is no column 'volume' for field 'octets'"),
    "no such field": ({}, {"colour": "octets"}, "F: there is no field 'colour' to map a column to; the fields are start, end"),
    "type of a count": ({"octets": True}, {}, "F: field 'octets' cannot be read from column 'octets' of type bool"),
    "type of an address": (
        {"source_address": 1.5},
        {},
        "F: field 'source_address' cannot be read from column 'source_address' of type double",
    ),
    "type of a time": ({"start": [1]}, {}, "F: field 'start' cannot be read from column 'start' of type list<"),
}


@pytest.mark.parametrize(("changes", "columns", "sentence"), MAPPING_ERRORS.values(), ids=MAPPING_ERRORS.keys())
def test_mapping_is_refused(changes: dict[str, Any], columns: dict[str, str], sentence: str) -> None:
    changed = pa.table({name: pa.array([value]) for name, value in {**FLOW, **changes}.items() if value is not None})
    with pytest.raises(ColumnMappingError) as caught:
        read(write(changed, InputFormat.PARQUET), InputFormat.PARQUET, columns)
    assert str(caught.value).startswith(sentence)


def test_lines_with_too_many_or_too_few_fields_are_dropped() -> None:
    content = "\n".join([HEADERS["nfdump"], LINE, LINE + ",1", LINE, "1,2"]).encode()
    flows, drops, _ = read(content, CSV)
    assert (len(flows), drops) == (2, {DropReason.BAD_VALUE: Drop(2, 2)})


def test_octets_that_are_no_utf_8_spoil_one_row() -> None:
    content = "\n".join([HEADERS["nfdump"], LINE, LINE]).encode().replace(b"192.0.2.1", b"192.0\xff2.1", 1)
    flows, drops, _ = read(content, CSV)
    assert (len(flows), drops) == (1, {DropReason.BAD_VALUE: Drop(1, 1)})


def test_a_stream_that_breaks_off_is_counted_up_to_there() -> None:
    rows = {name: [value] * 1000 for name, value in FLOW.items()}
    whole = write(pa.table(rows), InputFormat.ARROW_STREAM)
    flows, drops, _ = read(whole[: len(whole) // 2], InputFormat.ARROW_STREAM)
    assert (len(flows), drops) == (0, {DropReason.TRUNCATED_FILE: Drop(1, 1)})


def test_a_parquet_file_without_its_end_is_refused() -> None:
    with pytest.raises(UnknownFormatError, match=r"^F: not a readable parquet file: "):
        read(write(table(), InputFormat.PARQUET)[:-8], InputFormat.PARQUET)


@pytest.mark.parametrize("head", [b"", b"\xd4\xc3\xb2\xa1\x02\0\x04\0", b"\0\x0a,,,\n", b"hello world\n", bytes(64)])
def test_what_is_no_flow_record_file(head: bytes) -> None:
    assert detect(head) not in COLUMNAR_FORMATS


@keeps_failures("flow_records")
def read_or_refuse(content: bytes) -> None:
    """Read octets as a file of every format."""
    for kind in COLUMNAR_FORMATS:
        with contextlib.suppress(ColumnMappingError, UnknownFormatError):
            read(content, kind)


@given(st.sampled_from(sorted(COLUMNAR_FORMATS)), st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 255))
@example(CSV, b"ts,te,sa,da,ipkt,ibyt\n\0", 0, 0)
def test_any_octets_are_read_or_refused(kind: InputFormat, tail: bytes, place: int, octet: int) -> None:
    valid = bytearray(write(table(), kind))
    valid[place % len(valid)] = octet
    for content in (bytes(valid), bytes(valid) + tail, tail):
        read_or_refuse(content)


@pytest.mark.needs("nfdump")
@pytest.mark.parametrize("name", ["nfdump__nfcapd.sample", "nfdump__nfcapd-small-lzo", "nfdump__nfcapd-empty"])
def test_what_nfdump_prints_has_the_totals_that_nfdump_states(captures: Path, name: str) -> None:
    whole = subprocess.run(["nfdump", "-r", captures / "nfcapd" / name, "-o", "csv"], capture_output=True, check=True)
    totals = json.loads((captures / "totals.json").read_text())
    expected = totals.get("files", totals)[f"nfcapd/{name}"]
    flows, drops, _ = read(whole.stdout, CSV)
    assert (len(flows), int(flows.packets.sum()), int(flows.octets.sum()), drops) == (
        expected["records"],
        expected["packets"],
        expected["bytes"],
        {},
    )
    assert b"Summary" in whole.stdout
