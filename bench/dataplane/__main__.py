"""``python -m bench.dataplane SCALE RUNS``: measures all layouts, as root, and prints the figures as JSON.

Owns what is measured in which order.
"""

import sys
from collections.abc import Sequence

import msgspec

from bench.dataplane.drivers import MeteringWay, started_drivers
from bench.dataplane.figures import NEUTRON_LAYOUTS, NO_METERING, SENDING_ALONE, DataplaneFigures
from bench.dataplane.labels import FAMILIES, make_labels
from bench.dataplane.layouts import Layout, NoMetering
from bench.dataplane.metered import VenturiLayout
from bench.dataplane.neutron import NeutronLayout
from bench.dataplane.rounds import forward, running_lanes
from bench.scale import SCALES
from venturi.core.domain.label import LabelWithRules

_ROUNDS_OF_RUN = 5
_LEAST_TURNS = 3


def main(scale: str, runs: str) -> None:
    """Measure every number of labels in both families."""
    figures = DataplaneFigures()
    with started_drivers(figures.remarks) as ways:
        for count in SCALES[scale].forwarding_labels:
            for family in FAMILIES:
                _measure(make_labels(family, count), ways, int(runs), figures)
    sys.stdout.buffer.write(msgspec.json.encode(figures))


def _measure(labels: Sequence[LabelWithRules], ways: Sequence[MeteringWay], runs: int, figures: DataplaneFigures) -> None:
    chains = [layout for layout in (NeutronLayout(name, labels) for name in NEUTRON_LAYOUTS) if layout.installable]
    metered = [VenturiLayout(way, labels) for way in ways]
    layouts: list[Layout] = [NoMetering(NO_METERING), NoMetering(SENDING_ALONE), *chains, *metered]
    with running_lanes(layouts, labels) as lanes:
        figures.forwarding += forward(lanes, runs * _ROUNDS_OF_RUN)
        figures.operations += [layout.measure_operations(max(runs, _LEAST_TURNS)) for layout in metered]


if __name__ == "__main__":
    main(*sys.argv[1:])
