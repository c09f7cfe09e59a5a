"""Flow export in real captures and files: records, packets and octets, whole and per prefix, equal what tshark found.

Each exception is listed with its argument and with the figures that hold instead.
"""

import os
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.spec.capture_runs import PrefixTotals, expected_prefix_totals, prefix_totals, read_totals, run_capture
from venturi.core.domain.drops import DropReason
from venturi.services.offline.report import MeterReport
from venturi.services.offline.request import MeteredAs


class Difference(NamedTuple):
    """Why a file's figures differ from the listed ones, and what they are: records, packets, octets, and prefixes that differ."""

    argument: str
    records: int
    packets: int
    octets: int
    prefixes: PrefixTotals = MappingProxyType({})


_EVENTS = "its records carry neither packets nor octets, so there is nothing to meter"
_BOTH_FAMILIES = "its records carry addresses of both families; the listed prefixes are of the one that is 0.0.0.0"
EXCEPTIONS = {
    "export_pcap/v9_macaddr.pcap": Difference(_EVENTS, 0, 0, 0),
    "export_pcap/ipfix_nokia_bras.pcap": Difference(_EVENTS, 0, 0, 0),
    "export_pcap/ipfix_telegraf_example.pcap": Difference(
        "its biflows are metered both ways, with the packets of initiator and responder; the listed totals know octets of one way",
        56,
        1070,
        577437,
        {
            "src 192.168.119.0/24": (485, 118361),
            "src 140.82.113.0/24": (22, 6319),
            "dst 140.82.121.0/24": (188, 74668),
            "dst 185.199.111.0/24": (80, 11855),
            "dst 216.58.212.0/24": (60, 6105),
            "dst 34.149.140.0/24": (43, 5853),
        },
    ),
    "export_pcap/akvorado_nf_data+templates.pcap": Difference(
        "its data sets that precede their templates are kept until these come; tshark looks only forward",
        21,
        66,
        58329,
        {"src 120.120.15.0/24": (11, 13580), "dst 120.120.15.0/24": (37, 36756)},
    ),
    "export_pcap/pmacct_401-IPFIXv10-BMP-IPv6-CISCO-MPLS-multiple-sources_traffic-00.pcap": Difference(
        _BOTH_FAMILIES,
        748,
        318954,
        58740471,
        {
            "src 2001:db8::/64": (114047, 22906640),
            "dst 2001:db8::/64": (114047, 22906640),
            "src 0.0.0.0/24": (0, 0),
            "dst 0.0.0.0/24": (0, 0),
        },
    ),
    "export_pcap/pmacct_500-IPFIXv10-BGP-CISCO-SRv6_traffic-00.pcap": Difference(
        "its SRv6 packets are of the outer, IPv6, header; the listed prefixes are of the IPv4 header within",
        43,
        558,
        53644,
        {"src fcba:be00:3001::/64": (161, 19600), "src 192.0.41.0/24": (0, 0), "dst 192.0.42.0/24": (0, 0)},
    ),
}
"""Files whose listed totals are not those to be metered."""

FORGED_SAMPLES = {"derived_export/tcpreplay__test__pmacctd_sfprobe.pcap": 1}
"""Samples, of rate 1, that are not counted: frame 11 of the capture behind this export held 104 octets, and its IP header claims 255."""


def _list_files(*, sflow: bool) -> list[str]:
    """List the files, so that each is a test of its own; without the captures, one name that their fixture skips or fails."""
    captures = Path(os.environ.get("VENTURI_CAPTURES", "."))
    if not (captures / "totals.json").is_file():
        return ["captures"]
    return [name for name, totals in read_totals(captures).items() if totals.get("kind") == "export" and ("sflow" in totals) == sflow]


def _counts(report: MeterReport) -> tuple[int, int, int]:
    (source,) = report.sources
    return source.records, source.observed.packets, source.observed.octets


@pytest.mark.parametrize("name", _list_files(sflow=False))
def test_flow_export_equals_tshark(captures: Path, name: str) -> None:
    totals = read_totals(captures)[name]
    report = run_capture(captures / name, totals, MeteredAs.FLOWS)
    exception = EXCEPTIONS.get(name)
    listed = (totals["data_records"], totals["packets"], totals["bytes"])
    assert _counts(report) == (exception[1:4] if exception else listed)
    corrected = expected_prefix_totals(totals) | dict(exception.prefixes if exception else {})
    assert prefix_totals(report) == {prefix: counts for prefix, counts in corrected.items() if any(counts)}


@pytest.mark.parametrize("name", _list_files(sflow=True))
def test_sflow_samples_equal_tshark(captures: Path, name: str) -> None:
    """Every sampled header is a record of one packet, and its octets are those of its frame less at least the Ethernet header."""
    totals = read_totals(captures)[name]
    report = run_capture(captures / name, totals, MeteredAs.FLOWS)
    records, packets, octets = _counts(report)
    (source,) = report.sources
    forged = FORGED_SAMPLES.get(name, 0)
    assert (source.drops[DropReason.BAD_IP_HEADER].count if DropReason.BAD_IP_HEADER in source.drops else 0) == forged
    headers = totals["sflow"]["raw_header_samples"] - forged
    assert records == packets == headers
    assert octets <= totals["sflow"]["sum_frame_length"] - 14 * headers
    rates = totals["sflow"]["sampling_rates"]
    assert source.counts.packets == sum(int(rate) * count for rate, count in rates.items()) - forged
    assert DropReason.MALFORMED_MESSAGE not in source.drops
