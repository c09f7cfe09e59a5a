"""The frames that are forwarded, and what each counts for.

Owns addresses and headers. All labels have as much traffic, in no order, which is the worst there is for every cache; a twentieth
goes to the network that is excluded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.dataplane.labels import EXCLUDED, INSIDE_V6, labelled_prefix
from bench.inputs.wire import ETHERNET, IPV4, IPV6, UDP, Rows
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.prefix import ADDRESS_BITS, Prefix

FRAMES = 16_384
"""How many frames there are, each with a pair of addresses of its own."""

SENDER_MAC, ROUTER_MAC, ROUTER_OUT_MAC, RECEIVER_MAC = (bytes((2, 0, 0, 0, 0, number)) for number in range(1, 5))
"""The addresses of the devices, from the sender's to the receiver's."""

NOBODYS_MAC = bytes((2, 0, 0, 0, 0, 9))
"""The address of no device: what bears it is dropped as soon as it is received."""

_PAYLOAD_OCTETS = 18
_UDP_OCTETS = UDP.itemsize + _PAYLOAD_OCTETS
_TYPES = {4: 0x0800, 6: 0x86DD}
_HEADERS = {4: IPV4, 6: IPV6}
_UDP_PROTOCOL = 17
_HOPS = 64
_EXCLUDED_SHARE = 0.05
_FIRST_OUTSIDE = 150 << 24
_OUTSIDE = 40 << 24
_HOSTS = 256


@dataclass(frozen=True)
class Traffic:
    """Frames of one size: ``frames`` (structured, shape (FRAMES,)), and the number of the label that counts each, -1 for none (int64)."""

    family: int
    frames: Rows
    label_numbers: NDArray[np.int64]

    @property
    def octets(self) -> int:
        """The layer-3 octets of each."""
        return _HEADERS[self.family].itemsize + _UDP_OCTETS

    def packets_by_label(self, sent: int, labels: int) -> NDArray[np.int64]:
        """Give the packets of each label (int64, shape (labels,)) after ``sent`` frames, taken in order again and again."""
        times = sent // FRAMES + (np.arange(FRAMES) < sent % FRAMES)
        counted = self.label_numbers >= 0
        totals = np.zeros(labels, dtype=np.int64)
        np.add.at(totals, self.label_numbers[counted], times[counted])
        return totals


def make_traffic(labels: Sequence[LabelWithRules], *, forwarded: bool = True) -> Traffic:
    """Make the traffic of labels of one family; what is not to be ``forwarded`` is addressed to no device."""
    chance = np.random.default_rng(len(labels))
    prefixes = [labelled_prefix(entry) for entry in labels]
    family = prefixes[0].family
    drawn = chance.permutation(np.arange(FRAMES) % len(labels))
    excluded = chance.random(FRAMES) < _EXCLUDED_SHARE
    sources = _draw_sources(chance, prefixes, drawn)
    destinations = _draw_destinations(chance, excluded)
    header = _make_ipv4(sources, destinations) if family == 4 else _make_ipv6(sources, destinations, excluded)
    frames = _make_frames(family, header, ROUTER_MAC if forwarded else NOBODYS_MAC)
    return Traffic(family, frames, np.where(excluded, -1, drawn))


def _draw_sources(chance: np.random.Generator, prefixes: Sequence[Prefix], drawn: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw an address of each label's prefix, as the IPv4 address that it is or that does its work."""
    spare_bits = ADDRESS_BITS[prefixes[0].family] // 2 if prefixes[0].family == 6 else 0
    addresses = np.array([prefix.first >> spare_bits & 0xFFFF_FFFF for prefix in prefixes], dtype=np.int64)
    hosts = np.array([(prefix.last >> spare_bits & 0xFF) - (prefix.first >> spare_bits & 0xFF) for prefix in prefixes], dtype=np.int64)
    return addresses[drawn] + np.minimum(hosts[drawn], chance.integers(1, _HOSTS - 1, size=drawn.size))


def _draw_destinations(chance: np.random.Generator, excluded: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Draw addresses that all differ, so that all pairs do: IPv4 ones, or those that stand for the IPv6 ones."""
    outside = chance.choice(_OUTSIDE, size=FRAMES, replace=False) + _FIRST_OUTSIDE
    first = EXCLUDED[4].first
    return np.where(excluded, first + chance.choice(EXCLUDED[4].last - first, size=FRAMES, replace=False), outside)


def _make_ipv4(sources: NDArray[np.int64], destinations: NDArray[np.int64]) -> Rows:
    headers = np.zeros(FRAMES, dtype=IPV4)
    headers["version"] = 0x45
    headers["length"] = IPV4.itemsize + _UDP_OCTETS
    headers["ttl"] = _HOPS
    headers["protocol"] = _UDP_PROTOCOL
    headers["source"] = sources
    headers["destination"] = destinations
    words = headers.view(">u2").reshape(FRAMES, -1).astype(np.int64).sum(axis=1)
    folded = (words & 0xFFFF) + (words >> 16)
    headers["checksum"] = ~((folded & 0xFFFF) + (folded >> 16)) & 0xFFFF
    return headers


def _make_ipv6(sources: NDArray[np.int64], destinations: NDArray[np.int64], excluded: NDArray[np.bool_]) -> Rows:
    headers = np.zeros(FRAMES, dtype=IPV6)
    headers["version"] = 6 << 28
    headers["length"] = _UDP_OCTETS
    headers["next"] = _UDP_PROTOCOL
    headers["hops"] = _HOPS
    outside = np.where(excluded, EXCLUDED[6].first >> 96, INSIDE_V6).astype(np.uint64)
    headers["source_high"] = sources.astype(np.uint64) | np.uint64(INSIDE_V6 << 32)
    headers["destination_high"] = destinations.astype(np.uint64) | outside << np.uint64(32)
    headers["source_low"] = headers["destination_low"] = 1
    return headers


def _make_frames(family: int, headers: Rows, receiver: bytes) -> Rows:
    layout = np.dtype([("ethernet", ETHERNET), ("header", _HEADERS[family]), ("udp", UDP), ("payload", f"V{_PAYLOAD_OCTETS}")])
    frames = np.zeros(FRAMES, dtype=layout)
    frames["ethernet"]["destination"] = np.void(receiver)
    frames["ethernet"]["source"] = np.void(SENDER_MAC)
    frames["ethernet"]["type"] = _TYPES[family]
    frames["header"] = headers
    frames["udp"]["source_port"], frames["udp"]["destination_port"] = 1_000, 2_000
    frames["udp"]["length"] = _UDP_OCTETS
    return frames
