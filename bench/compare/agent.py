"""The agent: its share of a core and its memory while it meters many labels.

Owns the table and the targets. The measuring is a process of its own, which sends the traffic.
"""

import os
import sys
from collections.abc import Iterable, Iterator

import msgspec

from bench.agent.figures import AgentFigures
from bench.compare.targets import Results, Table, Target
from bench.measure.processes import run_program
from bench.scale import Scale

MOST_PERCENT = 3
MOST_MEGABYTES = 120


def compare_agent(scale: Scale, _runs: int) -> Results:
    """Measure an agent with each driver, once; without the rights of root, nothing."""
    if os.geteuid() != 0:
        return Results(remarks=["The agent is left out: network namespaces need the rights of root."])
    told = run_program([sys.executable, "-m", "bench.agent", scale.name]).output
    figures = msgspec.json.decode(told, type=list[AgentFigures])
    return Results(tables=[_tell(figures)], targets=list(_hold(figures)))


def _hold(figures: Iterable[AgentFigures]) -> Iterator[Target]:
    for entry in figures:
        yield Target(f"{_claim(entry)}: share of a core", entry.percent, MOST_PERCENT, " %", at_most=True)
        yield Target(f"{_claim(entry)}: memory", entry.resident_octets / 1e6, MOST_MEGABYTES, " MB", at_most=True)


def _claim(entry: AgentFigures) -> str:
    return f"agent by {entry.driver}, {entry.labels:,} labels with traffic"


def _tell(figures: Iterable[AgentFigures]) -> Table:
    rows = [
        (
            _claim(entry),
            f"{entry.seconds:.0f}",
            f"{entry.cpu:.2f}",
            f"{entry.percent:.2g}",
            f"{entry.resident_octets / 1e6:.0f}",
            f"{entry.peak_octets / 1e6:.0f}",
        )
        for entry in figures
    ]
    return Table(("agent", "watched s", "CPU s", "% of a core", "memory MB", "peak MB"), rows)
