"""Runs a capture through the whole of ``venturi meter`` with a label for each prefix whose totals other programs worked out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from venturi.composition import open_flow_records
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix
from venturi.services.offline.report import MeterReport
from venturi.services.offline.request import MeteredAs, MeterRequest
from venturi.services.offline.run import OfflineRun

Totals = Mapping[str, Any]
"""What ``totals.json`` says of one file."""

PrefixTotals = Mapping[str, tuple[int, int]]
"""Packets and octets, by side and prefix."""


@dataclass(frozen=True)
class Silent:
    """Shows no progress."""

    def begin(self, name: str, whole: int | None) -> None:
        """Hear nothing."""

    def update(self, done: int) -> None:
        """Hear nothing."""


@cache
def read_totals(captures: Path) -> dict[str, Totals]:
    """Read the totals of all captures, by file."""
    totals: dict[str, Totals] = json.loads((captures / "totals.json").read_text())
    return totals


def run_capture(path: Path, totals: Totals, metered_as: MeteredAs) -> MeterReport:
    """Meter one file by a label for each source and destination prefix of its totals."""
    labels = [_prefix_label(side, prefix) for side in ("src", "dst") for prefix in totals[side]]
    request = MeterRequest(paths=(str(path),), labels=tuple(labels), grouped_by=("label",), metered_as=metered_as)
    return OfflineRun(request, Silent(), open_flow_records).run()


def prefix_totals(report: MeterReport) -> PrefixTotals:
    """Give the observed counts of a run by label, which is a side and a prefix; labels without traffic are left out."""
    return {
        record.label.name: (record.observed.packets, record.observed.octets)
        for record in report.usage
        if record.observed.packets or record.observed.octets
    }


def expected_prefix_totals(totals: Totals) -> dict[str, tuple[int, int]]:
    """Give the same of the totals of other programs, which say (records,) packets and octets."""
    listed = {f"{side} {prefix}": (row[-2], row[-1]) for side in ("src", "dst") for prefix, row in totals[side].items()}
    return {name: counts for name, counts in listed.items() if any(counts)}


def _prefix_label(side: str, text: str) -> LabelWithRules:
    name = f"{side} {text}"
    prefix = Prefix.parse(text)
    rules = tuple(
        MeteringLabelRule(
            id=f"{name} {direction}",
            metering_label_id=name,
            direction=direction,
            source_ip_prefix=prefix if side == "src" else None,
            destination_ip_prefix=prefix if side == "dst" else None,
        )
        for direction in (Direction.INGRESS, Direction.EGRESS)
    )
    return LabelWithRules(MeteringLabel(id=name, name=name), rules)
