"""The prefixes that are metered: customers of all sizes, allocated one after the other inside one network.

Owns where each lies. Those of IPv6 are those of IPv4 moved behind another network, bit for bit, so that both families do the same work.
"""

import ipaddress
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.scale import LABELLED_PREFIXES

INSIDE_V4 = 10 << 24
"""The first address of the network that all prefixes lie in, a /8."""

INSIDE_V6 = 0x2001_0DB8 << 96
"""The first address of the IPv6 network that all prefixes lie in, a /36."""

INSIDE = {4: "10.0.0.0/8", 6: "2001:db8::/36"}
"""The two networks, by family."""

V6_HOST_BITS = 68
"""How far the offset of an IPv4 prefix is moved to the left for IPv6: a /24 becomes a /52."""

_LENGTHS = (20, 21, 22, 23, 24, 26, 28)
_SHARES = (0.05, 0.10, 0.20, 0.20, 0.35, 0.05, 0.05)
_LENGTH_SHIFTS = {10: -8, 1_000: -3, 10_000: 0, 100_000: 3}
_NESTED_EVERY = 10
_NESTED_BITS = 2


@dataclass(frozen=True)
class PrefixSet:
    """Prefixes as offsets (int64) from the start of the network inside and lengths (int64, of IPv4), both of shape (n,)."""

    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def spell(self, family: int) -> list[str]:
        """Spell the prefixes of a family."""
        pairs = zip(self.offsets.tolist(), self.lengths.tolist(), strict=True)
        if family == 4:
            return [f"{ipaddress.IPv4Address(INSIDE_V4 + offset)}/{length}" for offset, length in pairs]
        return [f"{ipaddress.IPv6Address(INSIDE_V6 + (offset << V6_HOST_BITS))}/{length + 28}" for offset, length in pairs]


@cache
def allocate(count: int) -> PrefixSet:
    """Allocate ``count`` prefixes, a tenth of them inside the one before; all sets cover about the same addresses."""
    chance = np.random.default_rng(count)
    shift = _LENGTH_SHIFTS[count]
    lengths = (chance.choice(_LENGTHS, size=count, p=_SHARES) + shift).tolist()
    offsets: list[int] = []
    free = 0
    for number, length in enumerate(lengths):
        if number % _NESTED_EVERY == _NESTED_EVERY - 1:
            lengths[number] = min(lengths[number - 1] + _NESTED_BITS, 32)
            offsets.append(offsets[-1])
            continue
        size = 1 << (32 - length)
        offsets.append(-(-free // size) * size)
        free = offsets[-1] + size
    return PrefixSet(np.array(offsets, dtype=np.int64), np.array(lengths, dtype=np.int64))


class AddressSource:
    """Draws addresses: inside, from the labelled prefixes by Zipf's law; outside, half from popular servers, half from anywhere."""

    def __init__(self, chance: np.random.Generator) -> None:
        """Draw from ``chance``; which prefixes and servers are popular is the same whatever it is."""
        self._chance = chance
        fixed = np.random.default_rng(1)
        self._prefixes = allocate(LABELLED_PREFIXES)
        self._prefix_ranks = fixed.permutation(LABELLED_PREFIXES)
        self._popular = fixed.integers(_FIRST_OUTSIDE, _LAST_OUTSIDE, size=4096, dtype=np.int64)

    def inside(self, count: int) -> NDArray[np.int64]:
        """Draw offsets from the start of the network inside: int64, shape (count,)."""
        chosen = self._prefix_ranks[_draw_ranks(self._chance, len(self._prefix_ranks), count)]
        host_bits = 32 - self._prefixes.lengths[chosen]
        hosts = (self._chance.random(count) * (1 << host_bits)).astype(np.int64)
        drawn: NDArray[np.int64] = self._prefixes.offsets[chosen] + hosts
        return drawn

    def outside(self, count: int) -> NDArray[np.int64]:
        """Draw IPv4 addresses outside, as numbers: int64, shape (count,)."""
        wide = self._chance.integers(_FIRST_OUTSIDE, _LAST_OUTSIDE, size=count, dtype=np.int64)
        popular = self._popular[_draw_ranks(self._chance, len(self._popular), count)]
        return np.where(self._chance.random(count) < 0.5, popular, wide)


_FIRST_OUTSIDE = 11 << 24
_LAST_OUTSIDE = 224 << 24


def _draw_ranks(chance: np.random.Generator, ranks: int, count: int) -> NDArray[np.int64]:
    """Draw ranks from 0, the n-th with a weight of about 1/n: int64, shape (count,)."""
    drawn: NDArray[np.int64] = np.exp(chance.random(count) * np.log(ranks)).astype(np.int64)
    return drawn - 1
