"""sFlow version 5."""

import struct
from fractions import Fraction

import pytest

from tests.spec.cases import LENGTH_CASES, LengthCase
from tests.unit.decode_export.building import BASIC, a_set, collect, ipfix, number, record, template
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.domain.flow_batch import Exporter

V4 = ("10.0.0.1", "10.0.0.2")
V6 = ("2001:db8::1", "2001:db8::2")
IPV4_PACKET = bytes.fromhex("450001f4000000004011000000")[:12] + number(V4[0], 4) + number(V4[1], 4)
IPV6_PACKET = b"\x60\0\0\0" + struct.pack("!HBB", 460, 17, 64) + number(V6[0], 16) + number(V6[1], 16)
UNKNOWN = 0x3FFFFFFF


def sflow(*samples: bytes, sequence: int = 1, agent: str = "198.51.100.9", sub_agent: int = 0, count: int | None = None) -> bytes:
    """Make a datagram that states ``count`` samples, or as many as it has."""
    kind, address = (2, number(agent, 16)) if ":" in agent else (1, number(agent, 4))
    stated = len(samples) if count is None else count
    return struct.pack("!II", 5, kind) + address + struct.pack("!IIII", sub_agent, sequence, 1000, stated) + b"".join(samples)


def sized(kind: int, content: bytes) -> bytes:
    """Put number and length before a sample or a record."""
    return struct.pack("!II", kind, len(content)) + content


def raw(packet: bytes, protocol: int = 11, *, original: int = 518, stripped: int = 4) -> bytes:
    """Make a raw packet header record."""
    return sized(1, struct.pack("!IIII", protocol, original, stripped, len(packet)) + packet + bytes(-len(packet) % 4))


def sampled_ipv4(octets: int = 500) -> bytes:
    """Make a sampled IPv4 record."""
    return sized(3, struct.pack("!II", octets, 6) + number(V4[0], 4) + number(V4[1], 4) + bytes(16))


def sampled_ipv6(octets: int = 500) -> bytes:
    """Make a sampled IPv6 record."""
    return sized(4, struct.pack("!II", octets, 6) + number(V6[0], 16) + number(V6[1], 16) + bytes(16))


def flow(*records: bytes, rate: int = 256, source: int = 3, ends: tuple[int, int] = (3, 4)) -> bytes:
    """Make a flow sample."""
    return sized(1, struct.pack("!IIIIIIII", 1, source, rate, 0, 0, *ends, len(records)) + b"".join(records))


def expanded(*records: bytes, rate: int = 256, source: int = 3, ends: tuple[tuple[int, int], tuple[int, int]] = ((0, 3), (0, 4))) -> bytes:
    """Make an expanded flow sample."""
    return sized(3, struct.pack("!IIIIIIIIIII", 1, 0, source, rate, 0, 0, *ends[0], *ends[1], len(records)) + b"".join(records))


SAMPLES = [
    pytest.param([raw(IPV4_PACKET)], V4, id="IPv4 header"),
    pytest.param([raw(IPV6_PACKET, 12)], V6, id="IPv6 header"),
    pytest.param([raw(bytes(12) + b"\x08\x00" + IPV4_PACKET, 1)], V4, id="Ethernet"),
    pytest.param([raw(bytes(12) + b"\x81\x00\x00\x05\x86\xdd" + IPV6_PACKET, 1)], V6, id="VLAN"),
    pytest.param([sampled_ipv4()], V4, id="sampled IPv4"),
    pytest.param([sampled_ipv6()], V6, id="sampled IPv6"),
    pytest.param([sampled_ipv4(9), raw(IPV4_PACKET), sized(1001, bytes(16))], V4, id="the header before the sampled IPv4"),
    pytest.param([sized(1001, bytes(16)), sampled_ipv4()], V4, id="behind an extended record"),
]


@pytest.mark.parametrize("make", [flow, expanded], ids=["compact", "expanded"])
@pytest.mark.parametrize(("records", "ends"), SAMPLES)
def test_flow_samples(make: object, records: list[bytes], ends: tuple[str, str]) -> None:
    found = collect(sflow(make(*records), make(*records, rate=1)), time=55)  # type: ignore[operator]
    assert found.ends == [ends] * 2
    assert found.counts == [(1, 500)] * 2
    assert found.rates == ["256", "1"]
    assert found.flows.start.tolist() == found.flows.end.tolist() == [55, 55]
    assert found.flows.input_interface.tolist() == [3, 3]
    assert found.flows.output_interface.tolist() == [4, 4]
    assert found.drops == {}
    assert found.decoder.records == 2


@pytest.mark.parametrize("case", LENGTH_CASES, ids=[case.name for case in LENGTH_CASES])
def test_a_claimed_length(case: LengthCase) -> None:
    before = bytes(12) + (b"\x08\x00" if case.family == 4 else b"\x86\xdd")
    found = collect(sflow(flow(raw(before + case.headers(), 1, original=14 + case.frame, stripped=0))))
    assert found.counts == ([] if case.octets is None else [(1, case.octets)])
    assert found.drops == ({"bad_ip_header": (1, 1)} if case.octets is None else {})


@pytest.mark.parametrize(
    ("sample", "octets"),
    [
        pytest.param(raw(IPV4_PACKET, original=500), 500, id="as much as the frame held"),
        pytest.param(raw(IPV4_PACKET, original=499), None, id="one octet more than the frame held"),
        pytest.param(raw(IPV4_PACKET, original=500, stripped=4), 500, id="what was stripped was held, too"),
        pytest.param(raw(IPV4_PACKET[:2] + bytes(2) + IPV4_PACKET[4:]), 514, id="no length takes the frame's less what was stripped"),
        pytest.param(sampled_ipv4(512 << 10), 512 << 10, id="a sampled IPv4 of 512 KiB"),
        pytest.param(sampled_ipv4((512 << 10) + 1), None, id="a sampled IPv4 beyond 512 KiB"),
        pytest.param(sampled_ipv6(0xFFFFFFFF), None, id="a sampled IPv6 of 4 GB"),
    ],
)
def test_a_length_beyond_the_frame(sample: bytes, octets: int | None) -> None:
    found = collect(sflow(flow(sample)))
    assert found.counts == ([] if octets is None else [(1, octets)])
    assert found.drops == ({"bad_ip_header": (1, 1)} if octets is None else {})


INTERFACES = [
    pytest.param(flow(sampled_ipv4(), source=4), (3, 4, 1), id="sampled at egress"),
    pytest.param(flow(sampled_ipv4(), source=9), (3, 4, 255), id="sampled elsewhere"),
    pytest.param(flow(sampled_ipv4(), source=1 << 24 | 3), (3, 4, 255), id="a source that is no interface"),
    pytest.param(flow(sampled_ipv4(), ends=(3, 3)), (3, 3, 255), id="in and out of one interface"),
    pytest.param(flow(sampled_ipv4(), ends=(3, 1 << 30 | 256)), (3, -1, 0), id="discarded"),
    pytest.param(flow(sampled_ipv4(), ends=(3, 2 << 30 | 7)), (3, -1, 0), id="several outputs"),
    pytest.param(flow(sampled_ipv4(), ends=(UNKNOWN, 4), source=4), (-1, 4, 1), id="from the device itself"),
    pytest.param(flow(sampled_ipv4(), ends=(0, 4), source=4), (-1, 4, 1), id="an unknown input"),
    pytest.param(expanded(sampled_ipv4(), ends=((0, 70_000), (1, 4)), source=70_000), (70_000, -1, 0), id="expanded, discarded"),
]


@pytest.mark.parametrize(("sample", "expected"), INTERFACES)
def test_interfaces(sample: bytes, expected: tuple[int, int, int]) -> None:
    flows = collect(sflow(sample)).flows
    assert (flows.input_interface.tolist(), flows.output_interface.tolist(), flows.flow_direction.tolist()) == tuple(
        [value] for value in expected
    )


DAMAGED = [
    pytest.param(sflow(flow(raw(b"", 1))), "truncated_header", id="an empty header"),
    pytest.param(sflow(flow(raw(bytes(12) + b"\x08\x06" + bytes(28), 1))), "not_ip", id="ARP"),
    pytest.param(sflow(flow(raw(IPV4_PACKET, 7))), "unsupported_link_type", id="another link layer"),
    pytest.param(sflow(flow(sized(1001, bytes(16)))), "no_addresses", id="no packet"),
    pytest.param(
        sflow(flow(sized(1, struct.pack("!IIII", 1, 99, 0, 90) + bytes(8)))), "malformed_record", id="a header longer than its record"
    ),
    pytest.param(sflow(flow(sized(3, bytes(28)))), "malformed_record", id="a short sampled IPv4"),
    pytest.param(sflow(flow(struct.pack("!II", 1, 999))), "malformed_record", id="a record longer than its sample"),
    pytest.param(sflow(sized(1, bytes(16))), "malformed_set", id="a short sample"),
    pytest.param(sflow(struct.pack("!II", 1, 999)), "malformed_set", id="a sample longer than its datagram"),
    pytest.param(sflow(count=9), "malformed_message", id="fewer samples than stated"),
    pytest.param(sflow(sized(5, bytes(16))), "revised_export", id="a sample of another kind"),
    pytest.param(sflow()[:20], "malformed_message", id="half a header"),
    pytest.param(struct.pack("!IIII", 5, 3, 0, 0) + bytes(40), "not_export", id="an agent of unknown family"),
]


@pytest.mark.parametrize(("datagram", "reason"), DAMAGED)
def test_damaged_datagrams(datagram: bytes, reason: str) -> None:
    found = collect(sflow(flow(sampled_ipv4())), datagram, sflow(flow(sampled_ipv4())))
    assert found.drops == {reason: (1, 2)}
    assert found.counts == [(1, 500)] * 2


def test_counter_samples_are_counted_apart() -> None:
    found = collect(sflow(sized(2, bytes(40)), sized(4, bytes(40)), flow(sampled_ipv4())))
    assert found.decoder.counter_samples == 2
    assert found.counts == [(1, 500)]


@pytest.mark.parametrize(
    ("agent", "exporter"),
    [
        ("198.51.100.9", Exporter(4, 0xC6336409)),
        ("2001:db8::9", Exporter(6, 0x20010DB8 << 96 | 9)),
        ("0.0.0.0", Exporter(4, 0xC0000201)),  # noqa: S104 - an agent that does not know its address is known by its datagrams'
    ],
)
def test_an_agent_is_known_by_its_own_address(agent: str, exporter: Exporter) -> None:
    found = collect(sflow(flow(sampled_ipv4()), agent=agent))
    assert [found.tables.exporters[row] for row in found.flows.exporter] == [exporter]


def test_rates() -> None:
    samples = sflow(flow(sampled_ipv4(), rate=0), flow(sampled_ipv4(), rate=10))
    assert collect(samples, config=ExportConfig(default_sampling_rate=Fraction(7))).rates == ["7", "10"]
    override = ExportConfig(sampling_rates={Exporter(4, 0xC6336409): Fraction(9)})
    assert collect(samples, config=override).rates == ["9", "9"]
    found = collect(sflow(*(flow(sampled_ipv4(), rate=rate) for rate in range(2, 9))), config=ExportConfig(maximum_sampling_rates=3))
    assert found.rates == ["2", "3", "4"]
    assert found.drops == {"template_limit": (4, 1)}


def test_datagrams_among_those_of_other_protocols() -> None:
    other = ipfix(template(BASIC), a_set(256, record(BASIC, *V4, 2, 300)))
    found = collect(other, sflow(flow(sampled_ipv4()), sequence=1), b"x", sflow(flow(sampled_ipv4()), sequence=3), other, sflow(sequence=4))
    assert found.counts == [(2, 300), (1, 500), (1, 500), (2, 300)]
    assert found.drops == {"not_export": (1, 3)}
    assert [(report.protocol, report.messages) for report in found.decoder.sequence_report()] == [("ipfix", 2), ("sflow", 3)]


def test_more_samples_than_the_columns_hold() -> None:
    samples = [flow(sampled_ipv4()), *[sized(2, b"")] * 20]
    datagrams = [sflow(*samples)] * 5000
    assert len(collect(*datagrams).flows) == 5000
    assert len(collect(*[sflow(*[flow(sized(3, struct.pack("!II", 1, 6) + bytes(24)))] * 900)] * 6).flows) == 5400
