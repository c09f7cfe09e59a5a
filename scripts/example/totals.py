"""Packets and octets of the example files as tshark counts them: whole, by family, prefix, direction and label.

Octets are layer-3 octets: the frame less its Ethernet header, for no frame of these links is padded. Nothing of venturi takes part.
"""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from scripts.example import labels
from scripts.example.addresses import TENANTS
from scripts.example.labels import DIRECTIONS, Account

ETHERNET_HEADER_OCTETS = 14
SHALLOW = tuple(option for protocol in ("tcp", "udp", "icmp", "icmpv6") for option in ("--disable-protocol", protocol))
TIMEOUT_SECONDS = 300

Counts = dict[str, int]


def write_totals(capture: Path, export: Path, destination: Path) -> bool:
    """Count both files into a JSON file; tell whether their packets and octets are equal."""
    packets, flows = _count_filters(capture, {"all": "ip || ipv6"})["all"], _count_flows(export)
    filters = {
        **{name: name for name in ("ip", "ipv6")},
        **{f"{prefix} {direction}": Account((prefix,)).display_filter(direction) for prefix in _prefixes() for direction in DIRECTIONS},
        **{f"{name} {way}": account.display_filter(way) for name, account in labels.LABELS.items() for way in DIRECTIONS},
        "not crossing": labels.not_crossing(),
        "unmatched": labels.unmatched(),
    }
    counts = _count_filters(capture, filters)
    totals = {
        "counted_by": _version(),
        "capture": {**_describe(capture), **packets},
        "export": flows,
        "families": {"ipv4": counts["ip"], "ipv6": counts["ipv6"]},
        "prefixes": {prefix: _both(counts, prefix) for prefix in _prefixes()},
        "labels": {name: _both(counts, name) for name in labels.LABELS},
        "not_crossing": counts["not crossing"],
        "unmatched": counts["unmatched"],
    }
    destination.write_text(json.dumps(totals, indent=2) + "\n", encoding="utf-8")
    return all(packets[unit] == flows[unit] for unit in ("packets", "octets"))


def _prefixes() -> list[str]:
    return [prefix for tenant in TENANTS for prefix in (tenant.ipv4_prefix, tenant.ipv6_prefix)]


def _both(counts: dict[str, Counts], name: str) -> dict[str, Counts]:
    return {direction: counts[f"{name} {direction}"] for direction in DIRECTIONS}


def _tshark(*options: str) -> str:
    command = ["tshark", "-n", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS).stdout


def _version() -> str:
    return " ".join(_tshark("--version").split()[:3]).replace("(Wireshark)", "").replace("  ", " ")


def _describe(capture: Path) -> dict[str, int | str]:
    times = [float(line) for line in _tshark("-r", str(capture), "-T", "fields", "-e", "frame.time_epoch").split()]
    first, last = (datetime.fromtimestamp(moment, tz=UTC).isoformat() for moment in (min(times), max(times)))
    return {"frames": len(times), "first": first, "last": last}


def _count_filters(capture: Path, filters: dict[str, str]) -> dict[str, Counts]:
    """Count the packets that each display filter selects; upper protocols are left alone, for tshark omits packets it finds malformed."""
    statistics = ["io", "stat", "0", *filters.values()]
    table = _tshark("-r", str(capture), *SHALLOW, "-q", "-z", ",".join(statistics))
    (row,) = (line for line in table.splitlines() if "<>" in line)
    figures = [int(cell) for cell in row.replace("<>", "").split("|")[2:] if cell.strip()]
    pairs = zip(filters, figures[::2], figures[1::2], strict=True)
    return {name: {"packets": frames, "octets": octets - ETHERNET_HEADER_OCTETS * frames} for name, frames, octets in pairs}


def _count_flows(export: Path) -> Counts:
    fields = ("cflow.packets", "cflow.octets")
    options = [option for field in fields for option in ("-e", field)]
    lines = _tshark("-r", str(export), "-T", "fields", *options).splitlines()
    columns = [[int(figure) for line in lines for figure in line.split("\t")[number].split(",") if figure] for number in (0, 1)]
    return {"records": len(columns[0]), "packets": sum(columns[0]), "octets": sum(columns[1])}
