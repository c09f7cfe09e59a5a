"""What the fields of a record mean for a flow."""

import pytest

from tests.spec.cases import LENGTH_CASES, LengthCase
from tests.unit.decode_export.building import BASIC, Specifier, a_set, collect, ipfix, message, record, template
from venturi.core.domain.drops import MAXIMUM_COUNT

REVERSE = 29305
ENDS = ((8, 4), (12, 4))
WIDE = ((27, 16), (28, 16))
V4 = ("10.0.0.1", "10.0.0.2")
V6 = ("2001:db8::1", "2001:db8::2")

COUNTS = [
    pytest.param([(2, 4), (1, 4)], [3, 300], [(3, 300)], id="delta counts"),
    pytest.param([(2, 8), (1, 8)], [3, MAXIMUM_COUNT], [(3, MAXIMUM_COUNT)], id="64-bit counts"),
    pytest.param([(2, 1), (1, 3)], [3, 0x010203], [(3, 0x010203)], id="reduced-size encoding"),
    pytest.param([(86, 4), (85, 4)], [4, 400], [(4, 400)], id="total counts"),
    pytest.param([(24, 4), (23, 4)], [5, 500], [(5, 500)], id="post counts"),
    pytest.param([(2, 4), (1, 4), (24, 4), (23, 4)], [3, 300, 5, 500], [(3, 300)], id="delta before post counts"),
    pytest.param([(1, 4), (1, 4)], [300, 7], [(0, 300)], id="the first of two"),
    pytest.param([(1, 4)], [300], [(0, 300)], id="octets alone"),
    pytest.param([(2, 4)], [3], [(3, 0)], id="packets alone"),
    pytest.param([(2, 4), (1, 4)], [0, 0], [(0, 0)], id="zero is a count"),
    pytest.param([(298, 4), (231, 4), (299, 4), (232, 4)], [1, 100, 2, 200], [(1, 100), (2, 200)], id="initiator and responder"),
    pytest.param([(231, 4), (232, 4)], [100, 0], [(0, 100)], id="a responder that is silent"),
    pytest.param([(2, 4), (1, 4), (2, 4, REVERSE), (1, 4, REVERSE)], [1, 100, 2, 200], [(1, 100), (2, 200)], id="biflow"),
]


@pytest.mark.parametrize(("fields", "values", "expected"), COUNTS)
def test_counts(fields: list[Specifier], values: list[int], expected: list[tuple[int, int]]) -> None:
    layout = (*ENDS, *fields)
    found = collect(ipfix(template(layout), a_set(256, record(layout, *V4, *values))))
    assert found.counts == expected
    assert found.ends == [V4, V4[::-1]][: len(expected)]
    assert found.decoder.records == 1
    assert found.drops == {}


DROPPED = [
    pytest.param([*ENDS, (4, 1)], [*V4, 6], "no_counts", id="an event without counts"),
    pytest.param([(4, 1)], [6], "no_counts", id="neither"),
    pytest.param([*ENDS, (1, 8), (2, 4)], [*V4, MAXIMUM_COUNT + 1, 1], "counter_out_of_range", id="too many octets"),
    pytest.param([*ENDS, (1, 4), (2, 8)], [*V4, 1, 1 << 63], "counter_out_of_range", id="too many packets"),
    pytest.param([*ENDS, (1, 9)], [*V4, 1], "no_counts", id="a counter of nine octets is none"),
]


@pytest.mark.parametrize("version", [9, 10])
@pytest.mark.parametrize(("fields", "values", "reason"), DROPPED)
def test_records_that_cannot_be_counted(version: int, fields: list[Specifier], values: list[int | str], reason: str) -> None:
    content = record(fields, *values) * 3
    found = collect(message(version, template(fields, version=version), a_set(256, content)))
    assert found.drops == {reason: (3, 1)}
    assert len(found.flows) == found.decoder.records == 0


@pytest.mark.parametrize("version", [9, 10])
@pytest.mark.parametrize(
    ("fields", "values"),
    [
        pytest.param([(1, 4), (2, 4)], [300, 3], id="of no addresses"),
        pytest.param([(8, 3), (27, 4), (1, 4), (2, 4)], [1, 1, 300, 3], id="of addresses of other lengths"),
        pytest.param([(365, 6), (1, 4), (2, 4)], [1, 300, 3], id="of a wireless controller"),
    ],
)
def test_counts_without_addresses_have_no_family(version: int, fields: list[Specifier], values: list[int | str]) -> None:
    good = (*ENDS, (1, 4), (2, 4))
    sets = (a_set(256, record(good, *V4, 300, 3)), a_set(257, record(fields, *values) * 3), a_set(256, record(good, *V4, 300, 3)))
    found = collect(message(version, template(good, version=version), template(fields, 257, version=version), *sets))
    assert found.flows.family.tolist() == [4, 0, 0, 0, 4]
    assert found.counts == [(3, 300)] * 5
    assert (found.flows.source_low[1:4] == 0).all()
    assert found.drops == {}


def test_good_records_beside_one_out_of_range() -> None:
    fields = (*ENDS, (1, 8), (61, 1))
    records = [record(fields, "10.0.0.1", f"10.0.0.{row}", octets, 1) for row, octets in enumerate([7, 1 << 60, 9])]
    found = collect(ipfix(template(fields), a_set(256, *records)))
    assert found.counts == [(0, 7), (0, 9)]
    assert found.ends == [("10.0.0.1", "10.0.0.0"), ("10.0.0.1", "10.0.0.2")]
    assert found.flows.flow_direction.tolist() == [1, 1]
    assert found.drops == {"counter_out_of_range": (1, 1)}


FAMILIES = [
    pytest.param(ENDS, V4, V4, id="IPv4"),
    pytest.param(WIDE, V6, V6, id="IPv6"),
    pytest.param((*ENDS, *WIDE), (*V4, "::", "::"), V4, id="both, IPv6 zero"),
    pytest.param((*ENDS, *WIDE), ("0.0.0.0", "0.0.0.0", *V6), V6, id="both, IPv4 zero"),  # noqa: S104
    pytest.param((*ENDS, *WIDE), ("0.0.0.0", "0.0.0.0", "::", "::"), ("0.0.0.0", "0.0.0.0"), id="both zero"),  # noqa: S104
    pytest.param(((12, 4),), (V4[1],), ("0.0.0.0", V4[1]), id="a destination alone"),  # noqa: S104
    pytest.param(((8, 0), (8, 4), (12, 4)), (b"", *V4), V4, id="a field of no length"),
]


@pytest.mark.parametrize("version", [9, 10])
@pytest.mark.parametrize(("fields", "values", "expected"), FAMILIES)
def test_addresses(version: int, fields: list[Specifier], values: list[str | bytes], expected: tuple[str, str]) -> None:
    layout = (*fields, (1, 4))
    found = collect(message(version, template(layout, version=version), a_set(256, record(layout, *values, 9) * 2)))
    assert found.ends == [expected] * 2
    assert found.counts == [(0, 9)] * 2


def test_interfaces_and_direction_are_swapped_for_the_reverse_flow() -> None:
    fields = (*ENDS, (10, 4), (14, 2), (61, 1), (1, 4), (1, 4, REVERSE))
    found = collect(ipfix(template(fields), a_set(256, record(fields, *V4, 70_000, 4, 0, 1, 2))))
    assert found.flows.input_interface.tolist() == [70_000, 4]
    assert found.flows.output_interface.tolist() == [4, 70_000]
    assert found.flows.flow_direction.tolist() == [0, 1]


def test_fields_that_are_missing() -> None:
    found = collect(ipfix(template(BASIC), a_set(256, record(BASIC, *V4, 1, 2))))
    assert found.flows.input_interface.tolist() == found.flows.output_interface.tolist() == [-1]
    assert found.flows.flow_direction.tolist() == [255]


@pytest.mark.parametrize(("text", "prefix"), [(b"", b"\0"), (b"abc", b"\3"), (b"x" * 300, b"\xff\x01\x2c")], ids=["empty", "short", "long"])
def test_records_of_variable_length(text: bytes, prefix: bytes) -> None:
    fields = ((8, 4), (82, 65535), (12, 4), (82, 65535, 6871), (1, 4), (1, 4, REVERSE))
    one = record(fields, V4[0], prefix + text, V4[1], b"\0", 5, 6)
    found = collect(ipfix(template(fields), a_set(256, one, one, b"\0\0\0")))
    assert found.ends == [V4, V4[::-1]] * 2
    assert found.counts == [(0, 5), (0, 6)] * 2
    assert found.drops == {}


def test_a_record_of_variable_length_that_overruns_its_set() -> None:
    fields = ((8, 4), (1, 4), (82, 65535))
    good, bad = record(fields, V4[0], 5, b"\0"), record(fields, V4[0], 5, b"\xf0")
    found = collect(ipfix(template(fields), a_set(256, good, bad), a_set(256, good)))
    assert found.counts == [(0, 5)] * 2
    assert found.drops == {"malformed_record": (1, 1)}


IPV4_PACKET = bytes.fromhex("450001f4000000004011000000000000")[:12] + bytes([10, 0, 0, 1, 10, 0, 0, 2])
ETHERNET_PACKET = bytes(12) + b"\x08\x00" + IPV4_PACKET


@pytest.mark.parametrize(("element", "octets"), [(313, IPV4_PACKET), (315, ETHERNET_PACKET)], ids=["IP header", "frame"])
@pytest.mark.parametrize("length", [65535, None], ids=["variable", "fixed"])
def test_sections_of_packets(element: int, octets: bytes, length: int | None) -> None:
    fields: tuple[Specifier, ...] = ((10, 4), (312, 2), (305, 4), (306, 4), (element, length or len(octets)))
    prefix = bytes([len(octets)]) if length else b""
    good = record(fields, 3, 600, 1, 99, prefix + octets)
    bad = record(fields, 3, 600, 1, 99, prefix + bytes(len(octets)))
    found = collect(ipfix(template(fields), a_set(256, good, bad, good)))
    assert found.ends == [V4, V4]
    assert found.counts == [(1, 500), (1, 500)]
    assert found.rates == ["100", "100"]
    assert found.flows.input_interface.tolist() == [3, 3]
    assert sum(count for count, _ in found.drops.values()) == 1


SIZED_SECTION: tuple[Specifier, ...] = ((312, 4), (315, 65535))


@pytest.mark.parametrize("case", LENGTH_CASES, ids=[case.name for case in LENGTH_CASES])
def test_a_claimed_length_in_a_section(case: LengthCase) -> None:
    frame = bytes(12) + (b"\x08\x00" if case.family == 4 else b"\x86\xdd") + case.headers()
    section = record(SIZED_SECTION, 14 + case.frame, bytes([len(frame)]) + frame)
    found = collect(ipfix(template(SIZED_SECTION), a_set(256, section)))
    assert found.counts == ([] if case.octets is None else [(1, case.octets)])
    assert found.drops == ({"bad_ip_header": (1, 1)} if case.octets is None else {})


def test_a_section_that_was_filled_up_is_held_to_the_size_of_its_frame() -> None:
    fields: tuple[Specifier, ...] = ((312, 4), (315, 600))
    sizes = [record(fields, size, ETHERNET_PACKET.ljust(600, b"\0")) for size in (513, 514)]
    found = collect(ipfix(template(fields), a_set(256, *sizes)))
    assert (found.counts, found.drops) == ([(1, 500)], {"bad_ip_header": (1, 1)})


@pytest.mark.parametrize(
    ("case", "octets"),
    [
        (LengthCase("what a header can state", 4, 65_535, 0, None), 65_535),
        (LengthCase("what a header can state, IPv6", 6, 65_535, 0, None), 65_575),
        (LengthCase("no length takes the section's", 4, 0, 0, None), 20),
        (LengthCase("a jumbogram of an unknown frame", 6, 0, 0, None, jumbo=100_000), None),
    ],
    ids=lambda value: value.name if isinstance(value, LengthCase) else None,
)
def test_a_section_whose_frame_is_of_unknown_size(case: LengthCase, octets: int | None) -> None:
    fields: tuple[Specifier, ...] = ((315, 65535),)
    frame = bytes(12) + (b"\x08\x00" if case.family == 4 else b"\x86\xdd") + case.headers()
    found = collect(ipfix(template(fields), a_set(256, bytes([len(frame)]) + frame)))
    assert found.counts == ([] if octets is None else [(1, octets)])


def test_sections_that_waited_for_their_template_lie_in_another_buffer() -> None:
    fields: tuple[Specifier, ...] = ((315, 65535),)
    section = bytes([len(ETHERNET_PACKET)]) + ETHERNET_PACKET
    others = ((8, 4), (12, 4), (1, 4))
    messages = [
        ipfix(template(fields), template(others, 258), a_set(256, section), a_set(258, record(others, *V4[::-1], 7))),
        ipfix(a_set(257, section, section)),
        ipfix(a_set(256, section), template(fields, 257), a_set(256, section)),
    ]
    found = collect(*messages)
    assert found.counts == [(1, 500), (0, 7), (1, 500), (1, 500), (1, 500), (1, 500)]
    assert found.decoder.records == 6


def test_more_sections_than_the_columns_hold() -> None:
    fields: tuple[Specifier, ...] = ((315, 65535),)
    section = bytes([len(ETHERNET_PACKET)]) + ETHERNET_PACKET
    short = b"\x01\x00"
    found = collect(ipfix(template(fields)), *[ipfix(a_set(256, section, *[short] * 4000, section))] * 3)
    assert found.counts == [(1, 500)] * 6
    assert found.drops == {"truncated_header": (12_000, 2)}
