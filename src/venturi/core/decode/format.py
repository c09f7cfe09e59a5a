"""Input formats: what a file is, by its first octets and never by its name.

Owns the recognition of every format that venturi reads, and the sentences for what it does not. Compression was undone before.
"""

import ipaddress
import struct
from enum import StrEnum

from venturi.core.decode.capture.pcap import PCAP_MAGIC_NUMBERS, is_known_version, pcap_version
from venturi.core.decode.capture.pcapng import PCAPNG_MAGIC_NUMBER
from venturi.core.domain.errors import UnknownFormatError

DETECTION_LENGTH = 65_536
"""Octets at the start of a file that are always enough to tell its format; fewer only where the file ends."""


class InputFormat(StrEnum):
    """The formats, as reports spell them."""

    PCAP = "pcap"
    PCAPNG = "pcapng"
    NETFLOW_V5 = "netflow-v5"
    NETFLOW_V9 = "netflow-v9"
    IPFIX = "ipfix"
    SFLOW = "sflow"
    PARQUET = "parquet"
    ARROW_FILE = "arrow-file"
    ARROW_STREAM = "arrow-stream"
    CSV = "csv"
    NFCAPD = "nfcapd"
    UNKNOWN = "unknown"


MESSAGE_FORMATS = frozenset({InputFormat.NETFLOW_V5, InputFormat.NETFLOW_V9, InputFormat.IPFIX, InputFormat.SFLOW})
"""Formats that are export messages one after another."""

COLUMNAR_FORMATS = frozenset({InputFormat.PARQUET, InputFormat.ARROW_FILE, InputFormat.ARROW_STREAM, InputFormat.CSV})
"""Formats that hold flow records in columns."""

_MAGIC_NUMBERS = {
    **dict.fromkeys(PCAP_MAGIC_NUMBERS, InputFormat.PCAP),
    PCAPNG_MAGIC_NUMBER: InputFormat.PCAPNG,
    b"PAR1": InputFormat.PARQUET,
    b"ARROW1": InputFormat.ARROW_FILE,
    bytes.fromhex("a50c"): InputFormat.NFCAPD,
    bytes.fromhex("0ca5"): InputFormat.NFCAPD,
}

_VERSION_END = 8
_MOST_V5_RECORDS = 30
_MOST_SAMPLES = 10_000
_LEAST_DATA_SET = 256
_IPFIX_HEADER_LENGTH = 16
_LONGEST_SCHEMA = 16 << 20
_DELIMITERS = ",;\t|"


def detect(first_octets: bytes) -> InputFormat:
    """Tell the format of a file from its first octets, ``DETECTION_LENGTH`` of them or all that there are."""
    for magic_number, input_format in _MAGIC_NUMBERS.items():
        if first_octets.startswith(magic_number):
            return input_format
    if _is_arrow_stream(first_octets):
        return InputFormat.ARROW_STREAM
    return _detect_messages(first_octets) or (InputFormat.CSV if _is_csv(first_octets) else InputFormat.UNKNOWN)


def recognise(name: str, first_octets: bytes, *, is_damaged: bool = False) -> InputFormat:
    """Tell the format of file ``name``; raise ``UnknownFormatError`` if it is empty or of a format or version that venturi does not read.

    ``is_damaged`` says that there are no more octets only because the compressed stream is damaged or cut.
    """
    if not first_octets:
        message = f"{name}: damaged or cut: nothing could be decompressed" if is_damaged else f"{name}: the file is empty"
        raise UnknownFormatError(message)
    input_format = detect(first_octets)
    if input_format is InputFormat.PCAP and len(first_octets) >= _VERSION_END and not is_known_version(pcap_version(first_octets)):
        major, minor = pcap_version(first_octets)
        message = f"{name}: a pcap file of version {major}.{minor}; venturi reads versions 2.0 to 2.4"
        raise UnknownFormatError(message)
    if input_format is InputFormat.NFCAPD:
        message = f"{name}: this is nfdump's private store; export it first, for example with 'nfdump -r {name} -o csv > flows.csv'"
        raise UnknownFormatError(message)
    if input_format is InputFormat.UNKNOWN:
        message = (
            f"{name}: not a file that venturi reads: neither a capture (pcap, pcapng), nor export messages "
            "(NetFlow v5 or v9, IPFIX, sFlow v5), nor flow records (Parquet, Arrow, CSV with a header line)"
        )
        if is_damaged:
            message += f"; its compressed stream is damaged or cut after {len(first_octets):,} octets"
        raise UnknownFormatError(message)
    return input_format


def _is_arrow_stream(octets: bytes) -> bool:
    """Tell by the continuation marker that begins an encapsulated message, and the padded length of its metadata."""
    if len(octets) < 8 or not octets.startswith(b"\xff\xff\xff\xff"):
        return False
    length = int.from_bytes(octets[4:8], "little")
    return 0 < length <= _LONGEST_SCHEMA and length % 8 == 0


def _detect_messages(octets: bytes) -> InputFormat | None:
    """Tell by the header of the first message, and of the first set in it, whatever follows."""
    if len(octets) < _IPFIX_HEADER_LENGTH:
        return None
    version, second = struct.unpack_from(">HH", octets)
    if version == 5 and 1 <= second <= _MOST_V5_RECORDS:
        return InputFormat.NETFLOW_V5
    if version == 9 and second > 0 and _begins_set(octets[20:24], template_sets=(0, 1)):
        return InputFormat.NETFLOW_V9
    if version == 10 and (
        second == _IPFIX_HEADER_LENGTH or (second > _IPFIX_HEADER_LENGTH and _begins_set(octets[16:20], template_sets=(2, 3)))
    ):
        return InputFormat.IPFIX
    return InputFormat.SFLOW if _is_sflow(octets) else None


def _begins_set(octets: bytes, *, template_sets: tuple[int, int]) -> bool:
    if len(octets) < 4:
        return False
    set_id, length = struct.unpack(">HH", octets)
    return length >= 4 and (set_id in template_sets or set_id >= _LEAST_DATA_SET)


def _is_sflow(octets: bytes) -> bool:
    """Version 5, an agent address of IPv4 or IPv6, and a number of samples that a datagram can hold (sFlow version 5, page 25)."""
    version, address_type = struct.unpack_from(">II", octets)
    place_of_count = {1: 24, 2: 36}.get(address_type)
    if version != 5 or place_of_count is None or len(octets) < place_of_count + 4:
        return False
    return int.from_bytes(octets[place_of_count : place_of_count + 4]) <= _MOST_SAMPLES


def _is_csv(octets: bytes) -> bool:
    """Tell printable text whose first line that is not blank has several fields, all of them names rather than values."""
    text = _decode_text(octets)
    lines = text.lstrip("\r\n").splitlines()
    if not lines or any(not character.isprintable() and character not in "\t\r\n" for character in text):
        return False
    delimiter = max(_DELIMITERS, key=lines[0].count)
    fields = [field.strip().strip("\"'") for field in lines[0].split(delimiter)]
    return len(fields) > 1 and not lines[0].startswith(("{", "[", "<")) and not any(map(_is_value, fields))


def _decode_text(octets: bytes) -> str:
    """Decode UTF-8 that may be cut within its last character; nothing if it is none."""
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_cut = error.end == len(octets) and error.reason == "unexpected end of data"
        return octets[: error.start].decode("utf-8-sig") if is_cut else ""


def _is_value(field: str) -> bool:
    try:
        ipaddress.ip_interface(field)
    except ValueError:
        return field.replace(".", "").replace("-", "").replace(":", "").isdigit()
    return True
