"""Makes export messages out of nothing but the protocols' definitions, and decodes them."""

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.frames import NO_TIME, Datagrams
from venturi.core.domain.drops import list_drops, new_drop_table
from venturi.core.domain.flow_batch import FlowBatch, FlowTables

EXPORTED = 1_700_000_000
"""When the messages are exported, in seconds."""

UPTIME = 5_000_000
"""Milliseconds since the exporter started, at that time."""

DOMAIN = 7
SECOND = 1_000_000_000

Specifier = tuple[int, int] | tuple[int, int, int]
"""A field of a template: information element, length, and enterprise if it is not IANA."""

BASIC = ((8, 4), (12, 4), (2, 4), (1, 4))
"""Addresses, packets, octets."""


def number(value: int | str, length: int) -> bytes:
    """Encode a number, or an address given as text, in network order."""
    return ipaddress.ip_address(value).packed if isinstance(value, str) else value.to_bytes(length)


def record(fields: Sequence[Specifier], *values: int | str | bytes) -> bytes:
    """Encode a record; octets are taken as they are."""
    return b"".join(value if isinstance(value, bytes) else number(value, field[1]) for field, value in zip(fields, values, strict=True))


def _specifier(field: Specifier) -> bytes:
    if len(field) == 3:
        return struct.pack("!HHI", field[0] | 0x8000, field[1], field[2])
    return struct.pack("!HH", *field)


def a_set(set_id: int, *content: bytes) -> bytes:
    """Put a header before the content of a set."""
    octets = b"".join(content)
    return struct.pack("!HH", set_id, 4 + len(octets)) + octets


def template(fields: Sequence[Specifier], template_id: int = 256, version: int = 10) -> bytes:
    """Make a set of one template."""
    return a_set(2 if version == 10 else 0, struct.pack("!HH", template_id, len(fields)), *map(_specifier, fields))


def options_template(scopes: Sequence[Specifier], options: Sequence[Specifier], template_id: int = 512, version: int = 10) -> bytes:
    """Make a set of one options template."""
    fields = b"".join(map(_specifier, [*scopes, *options]))
    if version == 10:
        return a_set(3, struct.pack("!HHH", template_id, len(scopes) + len(options), len(scopes)), fields)
    return a_set(1, struct.pack("!HHH", template_id, 4 * len(scopes), 4 * len(options)), fields)


def ipfix(*sets: bytes, sequence: int = 0, domain: int = DOMAIN, exported: int = EXPORTED) -> bytes:
    """Make an IPFIX message."""
    octets = b"".join(sets)
    return struct.pack("!HHIII", 10, 16 + len(octets), exported, sequence, domain) + octets


def v9(*sets: bytes, sequence: int = 0, domain: int = DOMAIN, exported: int = EXPORTED, uptime: int = UPTIME) -> bytes:
    """Make a NetFlow v9 message."""
    return struct.pack("!HHIIII", 9, len(sets), uptime, exported, sequence, domain) + b"".join(sets)


def message(version: int, *sets: bytes, sequence: int = 0) -> bytes:
    """Make a message of either version that has templates."""
    return v9(*sets, sequence=sequence) if version == 9 else ipfix(*sets, sequence=sequence)


def v5(*flows: bytes, sequence: int = 0, sampling: int = 0, count: int | None = None) -> bytes:
    """Make a NetFlow v5 message that states ``count`` flows, or as many as it has."""
    stated = len(flows) if count is None else count
    return struct.pack("!HHIIIIBBH", 5, stated, UPTIME, EXPORTED, 500, sequence, 1, 2, sampling) + b"".join(flows)


def v5_flow(source: str, destination: str, packets: int, octets: int, *, first: int = UPTIME - 2000, last: int = UPTIME - 1000) -> bytes:
    """Make a NetFlow v5 flow between interfaces 3 and 4."""
    addresses = number(source, 4) + number(destination, 4) + bytes(4)
    return addresses + struct.pack("!HHIIII", 3, 4, packets, octets, first, last) + bytes(16)


def datagrams(messages: Iterable[bytes], *, time: int = NO_TIME, source: str = "192.0.2.1", port: int = 2055) -> Datagrams:
    """Put messages into datagrams of one session, numbered from 1."""
    payloads = list(messages)
    address = ipaddress.ip_address(source)
    count = len(payloads)
    lengths = np.array([len(payload) for payload in payloads], dtype=np.int64)

    def words(value: int) -> NDArray[np.uint64]:
        return np.full(count, value, dtype=np.uint64)

    return Datagrams(
        buffer=np.frombuffer(b"".join(payloads), dtype=np.uint8),
        offset=np.cumsum(lengths) - lengths,
        length=lengths,
        time=np.full(count, time, dtype=np.int64),
        family=np.full(count, address.version, dtype=np.uint8),
        source_high=words(int(address) >> 64),
        source_low=words(int(address) & (1 << 64) - 1),
        destination_high=words(0),
        destination_low=words(1),
        source_port=np.full(count, 50_000, dtype=np.int64),
        destination_port=np.full(count, port, dtype=np.int64),
        position=np.arange(1, count + 1),
    )


class Collected(NamedTuple):
    """What came of some messages: the flows, the drops as (count, first position) by reason, the decoder and its tables."""

    flows: FlowBatch
    drops: dict[str, tuple[int, int]]
    decoder: ExportDecoder
    tables: FlowTables

    @property
    def rates(self) -> list[str]:
        """The sampling rate of each flow, as text."""
        return [str(self.tables.sampling_rates[rate]) for rate in self.flows.sampling]

    @property
    def counts(self) -> list[tuple[int, int]]:
        """Packets and octets of each flow."""
        return list(zip(self.flows.packets.tolist(), self.flows.octets.tolist(), strict=True))

    @property
    def ends(self) -> list[tuple[str, str]]:
        """Source and destination address of each flow, as text."""
        flows = self.flows
        words = zip(flows.family, flows.source_high, flows.source_low, flows.destination_high, flows.destination_low, strict=True)
        return [(_address(row[0], row[1], row[2]), _address(row[0], row[3], row[4])) for row in words]


def _address(family: int, high: int, low: int) -> str:
    value = int(high) << 64 | int(low)
    return str(ipaddress.IPv4Address(value) if family == 4 else ipaddress.IPv6Address(value))


def collect(*messages: bytes, config: ExportConfig | None = None, time: int = NO_TIME, finish: bool = True) -> Collected:
    """Decode messages of one session in one call."""
    return collect_datagrams(datagrams(messages, time=time), config=config, finish=finish)


def collect_datagrams(found: Datagrams, *, config: ExportConfig | None = None, finish: bool = True) -> Collected:
    """Decode datagrams in one call."""
    tables = FlowTables()
    decoder = ExportDecoder(config or ExportConfig(), tables)
    drops = new_drop_table()
    flows = decoder.decode(found, drops)
    if finish:
        decoder.finish(drops)
    return Collected(
        flows, {reason.wire_name: (drop.count, drop.first_position) for reason, drop in list_drops(drops).items()}, decoder, tables
    )
