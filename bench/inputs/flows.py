"""Flows of one hour at the border of a network, in columns.

Owns what the flows are; the exports of both protocols and the columns classified in memory all come from here and are therefore the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.inputs.prefixes import INSIDE_V4, AddressSource
from bench.inputs.wire import SECOND

CHUNK = 30_000
"""Flows made at once; every chunk has a seed of its own."""

_HOUR = 3_600 * SECOND
_MILLISECOND = 1_000_000
_LONGEST = 60_000
_ATTEMPTED_PORTS = (443, 443, 443, 443, 80, 53, 22, 993)


@dataclass(frozen=True)
class Flows:
    """Columns of shape (n,), int64 but for ``leaving`` (bool): IPv4 flows in the order of their export.

    ``leaving`` is whether a flow leaves the network. Times are milliseconds since the beginning; ``exported`` is when the record was sent.
    """

    leaving: NDArray[np.bool_]
    source: NDArray[np.int64]
    destination: NDArray[np.int64]
    source_port: NDArray[np.int64]
    destination_port: NDArray[np.int64]
    protocol: NDArray[np.int64]
    packets: NDArray[np.int64]
    octets: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    exported: NDArray[np.int64]

    def __len__(self) -> int:
        """Count the flows."""
        return len(self.packets)


def make_chunks(total: int) -> Iterator[Flows]:
    """Make ``total`` flows spread over the hour, chunk by chunk."""
    for first in range(0, total, CHUNK):
        yield _make_flows(first, min(CHUNK, total - first), total)


def _make_flows(first: int, count: int, total: int) -> Flows:
    chance = np.random.default_rng([2, first])
    addresses = AddressSource(chance)
    leaving = chance.random(count) < 0.5
    inside, outside = INSIDE_V4 + addresses.inside(count), addresses.outside(count)
    servers = chance.choice(_ATTEMPTED_PORTS, size=count)
    clients = chance.integers(1_024, 65_536, size=count)
    packets, octets = _sizes(chance, count)
    exported = (np.arange(first, first + count) * (_HOUR // _MILLISECOND - _LONGEST)) // total + _LONGEST
    end = exported - chance.integers(0, _LONGEST // 2, size=count)
    start = end - np.minimum(chance.exponential(4_000, size=count).astype(np.int64), _LONGEST // 2) * (packets > 1)
    return Flows(
        leaving=leaving,
        source=np.where(leaving, inside, outside),
        destination=np.where(leaving, outside, inside),
        source_port=np.where(leaving, clients, servers),
        destination_port=np.where(leaving, servers, clients),
        protocol=np.where(servers == 53, 17, 6),
        packets=packets,
        octets=octets,
        start=start,
        end=end,
        exported=exported,
    )


def _sizes(chance: np.random.Generator, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw packets (most flows have few, some have thousands) and octets of flows."""
    packets = np.minimum(1 + chance.pareto(1.1, size=count), 200_000).astype(np.int64)
    mean_sizes = chance.integers(52, 1_460, size=count)
    return packets, packets * mean_sizes
