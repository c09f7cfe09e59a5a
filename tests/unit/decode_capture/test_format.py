"""Formats are told by content, whatever the name."""

import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.decode_capture.building import file_header, pcap, section
from venturi.core.decode.format import InputFormat, detect, recognise
from venturi.core.domain.errors import UnknownFormatError

TABLE = pa.table({"packets": [1]})
V9_HEADER = struct.pack(">HHIIII", 9, 1, 0, 0, 0, 0)


def write_arrow(*, stream: bool) -> bytes:
    """Write a table in either form of Arrow's interchange format."""
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return bytes(sink.getvalue())


def write_parquet() -> bytes:
    """Write a table as Parquet."""
    sink = pa.BufferOutputStream()
    pq.write_table(TABLE, sink)
    return bytes(sink.getvalue())


def sflow(address_type: int, address: bytes, samples: int = 1) -> bytes:
    """Build the header of an sFlow datagram."""
    return struct.pack(">II", 5, address_type) + address + struct.pack(">IIII", 0, 1, 1, samples)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param(pcap([]), InputFormat.PCAP, id="pcap"),
        pytest.param(pcap([], order=">", magic_number=0xA1B23C4D), InputFormat.PCAP, id="pcap-big-nanoseconds"),
        pytest.param(section(), InputFormat.PCAPNG, id="pcapng"),
        pytest.param(section(order=">"), InputFormat.PCAPNG, id="pcapng-big"),
        pytest.param(struct.pack(">HH", 5, 30) + bytes(20), InputFormat.NETFLOW_V5, id="v5"),
        pytest.param(struct.pack(">HH", 5, 31) + bytes(20), InputFormat.UNKNOWN, id="v5-too-many-records"),
        pytest.param(V9_HEADER + struct.pack(">HH", 0, 20), InputFormat.NETFLOW_V9, id="v9-templates"),
        pytest.param(V9_HEADER + struct.pack(">HH", 1, 20), InputFormat.NETFLOW_V9, id="v9-options-templates"),
        pytest.param(V9_HEADER + struct.pack(">HH", 256, 20), InputFormat.NETFLOW_V9, id="v9-records"),
        pytest.param(V9_HEADER + struct.pack(">HH", 2, 20), InputFormat.UNKNOWN, id="v9-reserved-set"),
        pytest.param(V9_HEADER, InputFormat.UNKNOWN, id="v9-without-set"),
        pytest.param(struct.pack(">HHIIIHH", 10, 40, 0, 0, 0, 2, 24), InputFormat.IPFIX, id="ipfix-templates"),
        pytest.param(struct.pack(">HHIIIHH", 10, 40, 0, 0, 0, 300, 24), InputFormat.IPFIX, id="ipfix-records"),
        pytest.param(struct.pack(">HHIII", 10, 16, 0, 0, 0), InputFormat.IPFIX, id="ipfix-empty-message"),
        pytest.param(struct.pack(">HHIIIHH", 10, 40, 0, 0, 0, 4, 24), InputFormat.UNKNOWN, id="ipfix-reserved-set"),
        pytest.param(sflow(1, bytes(4)), InputFormat.SFLOW, id="sflow-v4-agent"),
        pytest.param(sflow(2, bytes(16)), InputFormat.SFLOW, id="sflow-v6-agent"),
        pytest.param(sflow(3, bytes(4)), InputFormat.UNKNOWN, id="sflow-no-agent"),
        pytest.param(sflow(1, bytes(4), samples=1 << 30), InputFormat.UNKNOWN, id="sflow-too-many-samples"),
        pytest.param(write_parquet(), InputFormat.PARQUET, id="parquet"),
        pytest.param(write_arrow(stream=False), InputFormat.ARROW_FILE, id="arrow-file"),
        pytest.param(write_arrow(stream=True), InputFormat.ARROW_STREAM, id="arrow-stream"),
        pytest.param(b"source,destination,octets\n10.0.0.1,10.0.0.2,5\n", InputFormat.CSV, id="csv"),
        pytest.param(b'\xef\xbb\xbf"source";"octets"\r\n', InputFormat.CSV, id="csv-quoted-semicolons-mark"),
        pytest.param("quelle\toctets\nMünchen\t5\nZ\u00fc".encode()[:-1], InputFormat.CSV, id="csv-tabs-cut-within-character"),
        pytest.param(b"10.0.0.1,10.0.0.2,5\n", InputFormat.UNKNOWN, id="csv-without-header"),
        pytest.param(b"octets\n5\n", InputFormat.UNKNOWN, id="one-column"),
        pytest.param(b'{"source": "a", "octets": 5}\n', InputFormat.UNKNOWN, id="json"),
        pytest.param(b"source,octets\n\x00\x01", InputFormat.UNKNOWN, id="text-with-controls"),
        pytest.param(b"source,octets\n\xff\xfe", InputFormat.UNKNOWN, id="text-of-no-encoding"),
        pytest.param(b"\x0c\xa5\x01\x00", InputFormat.NFCAPD, id="nfcapd-little"),
        pytest.param(b"\xa5\x0c\x00\x01", InputFormat.NFCAPD, id="nfcapd-big"),
        pytest.param(bytes(100), InputFormat.UNKNOWN, id="zeros"),
        pytest.param(b"", InputFormat.UNKNOWN, id="nothing"),
    ],
)
def test_detect(octets: bytes, expected: InputFormat) -> None:
    assert detect(octets) is expected


@pytest.mark.parametrize(
    ("octets", "is_damaged", "sentence"),
    [
        pytest.param(b"", False, "F: the file is empty", id="empty"),
        pytest.param(b"", True, "F: damaged or cut: nothing could be decompressed", id="damaged"),
        pytest.param(file_header(version=(2, 5)), False, "F: a pcap file of version 2.5; venturi reads versions 2.0 to 2.4", id="pcap-2.5"),
        pytest.param(file_header(version=(1, 2), order=">"), False, "F: a pcap file of version 1.2; ", id="pcap-1.2"),
        pytest.param(bytes(100), True, "F: not a file that venturi reads: ", id="damaged-behind-zeros"),
    ],
)
def test_recognise_refuses_versions_and_damage(octets: bytes, is_damaged: bool, sentence: str) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        recognise("F", octets, is_damaged=is_damaged)
    assert str(caught.value).startswith(sentence)
    assert ("; its compressed stream is damaged or cut after 100 octets" in str(caught.value)) == (is_damaged and len(octets) > 0)


def test_recognise_gives_what_was_detected() -> None:
    assert recognise("a", section()) is InputFormat.PCAPNG


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        pytest.param(b"", "flows: the file is empty", id="empty"),
        pytest.param(b"\x0c\xa5\x01\x00", "flows: this is nfdump's private store; export it first", id="nfcapd"),
        pytest.param(b"MZ\x90\x00", "flows: not a file that venturi reads: neither a capture", id="unknown"),
    ],
)
def test_recognise_refuses(octets: bytes, sentence: str) -> None:
    with pytest.raises(UnknownFormatError, match=sentence):
        recognise("flows", octets)
