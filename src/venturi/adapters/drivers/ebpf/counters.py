"""Counters out of the kernel, as totals of class pairs and directions.

Owns the summing over CPUs and the telling of class pairs from places.
"""

import math
from collections.abc import Mapping, Sequence
from mmap import MAP_SHARED, PROT_READ, mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf, highest_cpu
from venturi.adapters.drivers.ebpf.layout import BAD_IP_HEADERS, COUNTERS, HASHED_PAIRS, PAIR_SETS, UNATTRIBUTED, PairSet, count_places
from venturi.core.classify.pair_totals import PairTotals
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction

_PAIR_WORDS = 3
_DIRECTIONS = np.array([direction.code for direction, _ in PAIR_SETS], dtype=np.uint8)
_FAMILIES = np.array([family for _, family in PAIR_SETS], dtype=np.uint8)


def read_pairs(libbpf: Libbpf, folder: Path, sets: Sequence[PairSet]) -> PairTotals:
    """Read the totals of all class pairs that were seen."""
    parts = [_read_places(libbpf, folder / COUNTERS, sets)]
    if any(entry.hashed for entry in sets):
        parts.append(_read_hashed(libbpf, folder / HASHED_PAIRS))
    numbers, sources, destinations, counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((destinations, sources, numbers))
    sources, destinations = (column[order].astype(np.int32) for column in (sources, destinations))
    packets, octets = counts[order].T.copy()
    return PairTotals(_DIRECTIONS[numbers[order]], _FAMILIES[numbers[order]], sources, destinations, packets, octets)


def read_unattributed(libbpf: Libbpf, folder: Path) -> Mapping[Direction, Counts]:
    """Read what found no room, of the directions in which there is any."""
    return _read_directions(libbpf, folder / UNATTRIBUTED)


def read_bad_ip_headers(libbpf: Libbpf, folder: Path) -> Mapping[Direction, Counts]:
    """Read what did not count for its IP header, of the directions in which there is any; generations of earlier versions keep none."""
    pin = folder / BAD_IP_HEADERS
    return _read_directions(libbpf, pin) if pin.exists() else {}


def _read_directions(libbpf: Libbpf, pin: Path) -> Mapping[Direction, Counts]:
    _, counts = _read_map(libbpf, pin, 1)
    directions = (Direction.INGRESS, Direction.EGRESS)
    return {direction: Counts(*row) for direction, row in zip(directions, counts.tolist(), strict=True) if any(row)}


def _read_places(libbpf: Libbpf, pin: Path, sets: Sequence[PairSet]) -> tuple[NDArray[np.int64], ...]:
    counts = _sum_places(libbpf, pin, count_places(sets))
    places = np.flatnonzero(counts[:, 0])
    numbers, sources, destinations = np.zeros((3, len(places)), dtype=np.int64)
    for number, placed in enumerate(sets):
        if not placed.hashed:
            of_set = slice(*np.searchsorted(places, (placed.base, placed.base + placed.size)))
            numbers[of_set] = number
            outer, inner = np.divmod(places[of_set] - placed.base, max(placed.strides))
            sources[of_set], destinations[of_set] = (outer, inner) if placed.strides[1] == 1 else (inner, outer)
    return numbers, sources, destinations, counts[places]


def _sum_places(libbpf: Libbpf, pin: Path, places: int) -> NDArray[np.int64]:
    """Sum all places up over CPUs, out of the map itself: packets and octets, shape (places, 2)."""
    shape = (highest_cpu() + 1, places, 2)
    with libbpf.opened(pin) as descriptor, mmap(descriptor, math.prod(shape) * 8, flags=MAP_SHARED, prot=PROT_READ) as mapped:
        counts = np.frombuffer(mapped, dtype=np.int64).reshape(shape)
        summed: NDArray[np.int64] = counts.sum(axis=0)
        del counts
        return summed


def _read_hashed(libbpf: Libbpf, pin: Path) -> tuple[NDArray[np.int64], ...]:
    keys, counts = _read_map(libbpf, pin, _PAIR_WORDS)
    seen = counts[:, 0] > 0
    return *keys[seen].astype(np.int64).T, counts[seen]


def _read_map(libbpf: Libbpf, pin: Path, key_words: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Read keys and counts, summed over CPUs, of a per-CPU map."""
    with libbpf.opened(pin) as descriptor:
        batches = [(keys, counts.sum(axis=1)) for keys, counts in libbpf.read_counts(descriptor, key_words)]
    keys, counts = zip(*batches, strict=True)
    return np.concatenate(keys), np.concatenate(counts)
