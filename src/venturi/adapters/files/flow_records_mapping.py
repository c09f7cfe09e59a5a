"""Which columns of a flow-record file hold which fields of a flow.

Owns the stated schema, the names that other programs give its fields, and a mapping by hand. Values belong to ``flow_records_columns``.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from venturi.core.domain.errors import ColumnMappingError

REQUIRED_FIELDS = ("start", "end", "source_address", "destination_address", "packets", "octets")
"""The fields that every file has."""

OPTIONAL_FIELDS = ("exporter", "input_interface", "output_interface", "flow_direction", "sampling_rate", "family")
"""The fields that a file may have."""

KNOWN_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "start": (
            "flowStartNanoseconds",
            "flowStartMicroseconds",
            "flowStartMilliseconds",
            "flowStartSeconds",
            "ts",
            "firstSeen",
            "first_seen",
            "time_flow_start_ns",
            "first",
        ),
        "end": (
            "flowEndNanoseconds",
            "flowEndMicroseconds",
            "flowEndMilliseconds",
            "flowEndSeconds",
            "te",
            "lastSeen",
            "last_seen",
            "time_flow_end_ns",
            "last",
        ),
        "source_address": ("sourceIPv4Address", "sourceIPv6Address", "sa", "srcAddr", "src4_addr", "src6_addr", "src_addr", "src_ip"),
        "destination_address": (
            "destinationIPv4Address",
            "destinationIPv6Address",
            "da",
            "dstAddr",
            "dst4_addr",
            "dst6_addr",
            "dst_addr",
            "dst_ip",
        ),
        "packets": ("packetDeltaCount", "ipkt", "inPackets", "in_packets", "packetTotalCount"),
        "octets": ("octetDeltaCount", "ibyt", "inBytes", "in_bytes", "octetTotalCount", "bytes"),
        "exporter": ("exporterIPv4Address", "exporterIPv6Address", "ra", "exporter_address", "sampler_address", "ip4_router", "ip6_router"),
        "input_interface": ("ingressInterface", "in", "input_snmp", "in_if"),
        "output_interface": ("egressInterface", "out", "output_snmp", "out_if"),
        "flow_direction": ("flowDirection",),
        "sampling_rate": ("samplingInterval",),
        "family": ("ipVersion",),
    },
)
"""Names by which IPFIX (RFC 7012), nfdump and others call the fields, the first that is there before the later ones."""

_TWO_FAMILIES = (
    ("sourceIPv4Address", "sourceIPv6Address"),
    ("destinationIPv4Address", "destinationIPv6Address"),
    ("exporterIPv4Address", "exporterIPv6Address"),
    ("src4_addr", "src6_addr"),
    ("dst4_addr", "dst6_addr"),
    ("ip4_router", "ip6_router"),
)

ColumnMapping = Mapping[str, tuple[str, ...]]
"""The columns of each field; two where addresses of the two families have a column each."""


def map_columns(present: Sequence[str], chosen: Mapping[str, str], name: str) -> ColumnMapping:
    """Find the columns of every field among those ``present`` in file ``name``; ``chosen`` (field to column) goes first.

    Raises ``ColumnMappingError`` for an unknown field, a chosen column that is not there and a field without a column.
    """
    for field, column in chosen.items():
        if field not in (*REQUIRED_FIELDS, *OPTIONAL_FIELDS):
            known = ", ".join((*REQUIRED_FIELDS, *OPTIONAL_FIELDS))
            message = f"{name}: there is no field '{field}' to map a column to; the fields are {known}"
            raise ColumnMappingError(message)
        if column not in present:
            raise ColumnMappingError(_missing(name, f"column '{column}' for field '{field}'", present))
    mapping = {}
    for field in (*REQUIRED_FIELDS, *OPTIONAL_FIELDS):
        columns = (chosen[field],) if field in chosen else _find_known(field, present)
        if columns:
            mapping[field] = columns
        elif field in REQUIRED_FIELDS:
            raise ColumnMappingError(_missing(name, f"column for field '{field}'", present))
    return mapping


def _find_known(field: str, present: Sequence[str]) -> tuple[str, ...]:
    folded = {column.strip().lower(): column for column in reversed(present)}
    for known in (field, *KNOWN_NAMES[field]):
        if known.lower() in folded:
            twins = next((pair for pair in _TWO_FAMILIES if known in pair), (known,))
            return tuple(folded[twin.lower()] for twin in twins if twin.lower() in folded)
    return ()


def _missing(name: str, what: str, present: Sequence[str]) -> str:
    shown = ", ".join(f"'{column}'" for column in present[:40]) or "none"
    return f"{name}: there is no {what}; name one with --column FIELD=COLUMN; the columns are {shown}"
