"""The data plane: what metering leaves of a router's throughput, with Neutron's chains and with venturi.

Owns the tables and the targets. The measuring is a process of its own, so that its memory is not taken for that of other programs.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from bench.compare.targets import Results, Table, Target
from bench.dataplane.figures import (
    EBPF_FORWARD,
    EBPF_TCX,
    NEUTRON_LAYOUTS,
    NFTABLES,
    VENTURI_LAYOUTS,
    DataplaneFigures,
    Forwarding,
    Operations,
)
from bench.measure.processes import run_program
from bench.scale import Scale

SHARES = {
    1_000: {EBPF_FORWARD: 0.90, EBPF_TCX: 0.92, NFTABLES: 0.68},
    10_000: {EBPF_FORWARD: 0.82, EBPF_TCX: 0.85, NFTABLES: 0.55},
}
"""The least share of the throughput without metering, by number of labels and layout."""

MOST_MILLISECONDS = {EBPF_FORWARD: (50, 60), EBPF_TCX: (50, 60), NFTABLES: (150, 400)}
"""The longest that reading all counters and changing a rule may take."""

_MANY = 10_000
_FEW = 100
_MOST_GROWTH = 3


def compare_dataplane(scale: Scale, runs: int) -> Results:
    """Measure all layouts with each number of labels; without the rights of root, nothing."""
    if os.geteuid() != 0:
        return Results(remarks=["The data plane is left out: network namespaces need the rights of root."])
    told = run_program([sys.executable, "-m", "bench.dataplane", scale.name, str(runs)]).output
    figures = msgspec.json.decode(told, type=DataplaneFigures)
    targets = [*_hold_shares(figures.forwarding), *_hold_growth(figures.forwarding), *_hold_operations(figures.operations)]
    return Results(
        tables=[_tell_forwarding(figures.forwarding), _tell_operations(figures.operations)], targets=targets, remarks=figures.remarks
    )


def _hold_shares(forwarding: Iterable[Forwarding]) -> Iterator[Target]:
    for entry in forwarding:
        wanted = SHARES.get(entry.labels, {}).get(entry.layout)
        if wanted is not None:
            yield Target(f"{_claim(entry)}: against no metering", entry.share, wanted)


def _hold_growth(forwarding: Iterable[Forwarding]) -> Iterator[Target]:
    """Hold the cost of many labels against that of few: it must hardly grow."""
    added = {(entry.layout, entry.family, entry.labels): entry.added for entry in forwarding}
    for (layout, family, labels), many in added.items():
        if layout in VENTURI_LAYOUTS and labels == _MANY:
            few = added[layout, family, _FEW]
            yield Target(f"{layout}, IPv{family}: cost of {_MANY:,} labels against {_FEW}", many / few, _MOST_GROWTH, at_most=True)


def _hold_operations(operations: Iterable[Operations]) -> Iterator[Target]:
    for entry in operations:
        if entry.labels == _MANY:
            most_reading, most_change = MOST_MILLISECONDS[entry.layout]
            yield Target(f"{_claim(entry)}: poll", entry.reading * 1e3, most_reading, " ms", at_most=True)
            yield Target(f"{_claim(entry)}: rule change, compiled before", entry.change * 1e3, most_change, " ms", at_most=True)


def _claim(entry: Forwarding | Operations) -> str:
    return f"{entry.layout}, IPv{entry.family}, {entry.labels:,} labels"


def _tell_forwarding(forwarding: Sequence[Forwarding]) -> Table:
    """Give a row for each layout; the ratios are of throughput."""
    taken_by = {(entry.family, entry.labels, entry.layout): entry.nanoseconds for entry in forwarding}

    def against(entry: Forwarding, peer: str) -> str:
        taken = taken_by.get((entry.family, entry.labels, peer))
        if taken is None or entry.layout not in VENTURI_LAYOUTS:
            return ""
        times = taken / entry.nanoseconds
        return f"{times:,.0f}x" if times >= 100 else f"{times:.3g}x"

    titles = ("layout", "ns a packet", "of it added", "throughput left", "against iptables-legacy", "against iptables-nft")
    rows = [
        (
            _claim(entry),
            f"{entry.nanoseconds:,.0f}",
            f"{entry.added:+,.0f}",
            f"{entry.share:.3g}",
            *(against(entry, peer) for peer in NEUTRON_LAYOUTS),
        )
        for entry in forwarding
    ]
    return Table(titles, rows)


def _tell_operations(operations: Iterable[Operations]) -> Table:
    titles = ("driver", "poll ms", "rule change ms", "with compiling ms", "last reading before it ms")
    rows = [
        (
            _claim(entry),
            *(f"{seconds * 1e3:.3g}" for seconds in (entry.reading, entry.change, entry.change + entry.compilation, entry.last_reading)),
        )
        for entry in operations
    ]
    return Table(titles, rows)
