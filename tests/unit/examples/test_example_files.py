"""The bundled example: its files hold what another program counted in them (``totals.json``), and its rules count it so."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import venturi
from venturi.adapters.files.buffers import decode_stream
from venturi.adapters.files.opening import open_input
from venturi.adapters.files.rules_file import load_rules
from venturi.composition import open_flow_records
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.decode.decoder import StreamDecoder
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.export.message_files import MessageFileDecoder
from venturi.core.domain.direction import Direction
from venturi.core.domain.drops import DropReason, list_drops
from venturi.core.domain.flow_batch import FlowBatch, FlowTables
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix
from venturi.services.offline.report import MeterReport
from venturi.services.offline.request import MeterRequest
from venturi.services.offline.run import OfflineRun

EXAMPLES = Path(venturi.__path__[0]) / "examples"
CAPTURE = "office.pcap.zst"
EXPORT = "office.ipfix"
LARGEST_CAPTURE_OCTETS = 1_500_000
INTERVAL = Nanoseconds(300 * SECOND)

Usage = dict[tuple[str, str], tuple[int, int]]
"""Packets and octets by name and direction."""


class Silent:
    """Shows no progress."""

    def begin(self, name: str, whole: int | None) -> None:
        """Hear nothing."""

    def update(self, done: int) -> None:
        """Hear nothing."""


@cache
def read_totals() -> dict[str, Any]:
    totals: dict[str, Any] = json.loads((EXAMPLES / "totals.json").read_text(encoding="utf-8"))
    return totals


def decode(file: str, decoder: StreamDecoder) -> FlowBatch:
    with open_input(str(EXAMPLES / file)) as stream:
        return FlowBatch.concatenate(*decode_stream(stream, decoder.decode))


def new_export_decoder() -> MessageFileDecoder:
    return MessageFileDecoder(ExportDecoder(ExportConfig(), FlowTables()))


def meter(file: str, labels: tuple[LabelWithRules, ...], interval: Nanoseconds | None = None) -> MeterReport:
    inside = load_rules([str(EXAMPLES / "rules.yaml")]).inside
    grouped_by = ("label", "direction") if interval is None else ("label", "direction", "interval")
    request = MeterRequest(paths=(str(EXAMPLES / file),), labels=labels, inside=inside, interval=interval, grouped_by=grouped_by)
    return OfflineRun(request, Silent(), open_flow_records).run()


def usage_of(report: MeterReport) -> Usage:
    return {(row.label.name, str(row.direction)): (row.observed.packets, row.observed.octets) for row in report.usage}


def expected_usage(section: str) -> Usage:
    return {
        (name, direction): (counts["packets"], counts["octets"])
        for name, directions in read_totals()[section].items()
        for direction, counts in directions.items()
    }


def prefix_labels() -> Iterator[LabelWithRules]:
    """Give a label of the same name for each tenant prefix of the totals."""
    for name in read_totals()["prefixes"]:
        prefix = Prefix.parse(name)
        rules = (
            MeteringLabelRule(id=f"{name} in", metering_label_id=name, direction=Direction.INGRESS, destination_ip_prefix=prefix),
            MeteringLabelRule(id=f"{name} out", metering_label_id=name, direction=Direction.EGRESS, source_ip_prefix=prefix),
        )
        yield LabelWithRules(MeteringLabel(id=name, name=name), rules)


def rules_labels() -> tuple[LabelWithRules, ...]:
    return tuple(load_rules([str(EXAMPLES / "rules.yaml")]).labels)


@pytest.mark.parametrize("name", [CAPTURE, EXPORT])
@pytest.mark.parametrize(("family", "number"), [("ipv4", 4), ("ipv6", 6)])
def test_both_files_hold_the_packets_and_octets_of_each_family(name: str, family: str, number: int) -> None:
    flows = decode(name, PacketDecoder(exporter=0) if name == CAPTURE else new_export_decoder())
    chosen = flows.take(flows.family == number)
    assert {"packets": int(chosen.packets.sum()), "octets": int(chosen.octets.sum())} == read_totals()["families"][family]


def test_nothing_of_the_capture_is_skipped_but_frames_without_ip() -> None:
    decoder = PacketDecoder(exporter=0)
    decode(CAPTURE, decoder)
    recorded = read_totals()["capture"]
    assert {reason: drop.count for reason, drop in list_drops(decoder.drops).items()} == {
        DropReason.NOT_IP: recorded["frames"] - recorded["packets"]
    }


def test_nothing_of_the_export_is_skipped() -> None:
    decoder = new_export_decoder()
    decode(EXPORT, decoder)
    assert (decoder.records, list_drops(decoder.drops)) == (read_totals()["export"]["records"], {})


def test_the_export_lies_within_the_time_of_the_capture() -> None:
    packets, flows = decode(CAPTURE, PacketDecoder(exporter=0)), decode(EXPORT, new_export_decoder())
    millisecond = SECOND // 1000
    assert flows.start.min() >= packets.start.min() - millisecond
    assert flows.end.max() <= packets.end.max() + millisecond


@pytest.mark.parametrize("name", [CAPTURE, EXPORT])
def test_each_tenant_prefix_counts_by_direction_what_the_other_program_counted(name: str) -> None:
    expected = expected_usage("prefixes")
    counted = usage_of(meter(name, tuple(prefix_labels())))
    differing = {row for row in expected if counted.get(row) != expected[row]}
    assert differing == (MAIL_WITH_BRANCH if name == EXPORT else set())


MAIL_WITH_BRANCH = {("203.0.113.16/28", "ingress"), ("203.0.113.16/28", "egress")}
"""The probes of the uplink give the branch's mail a direction, which the inside prefixes call not crossing."""


@pytest.mark.parametrize("interval", [None, INTERVAL], ids=["whole", "5 minutes"])
@pytest.mark.parametrize("name", [CAPTURE, EXPORT])
def test_each_label_of_the_rules_counts_what_the_other_program_counted(name: str, interval: Nanoseconds | None) -> None:
    counted: Usage = {}
    for row in meter(name, rules_labels(), interval).usage:
        packets, octets = counted.get((row.label.name, str(row.direction)), (0, 0))
        counted[row.label.name, str(row.direction)] = (packets + row.observed.packets, octets + row.observed.octets)
    assert counted == expected_usage("labels")


def test_what_no_label_counts_and_what_crosses_nothing_is_reported() -> None:
    (source,) = meter(CAPTURE, rules_labels()).sources
    totals = read_totals()
    assert (source.unmatched.packets, source.unmatched.octets) == (totals["unmatched"]["packets"], totals["unmatched"]["octets"])
    assert source.not_crossing.packets == totals["not_crossing"]["packets"]


def test_the_files_are_small() -> None:
    assert (EXAMPLES / CAPTURE).stat().st_size < LARGEST_CAPTURE_OCTETS
    assert (EXAMPLES / EXPORT).stat().st_size < LARGEST_CAPTURE_OCTETS
