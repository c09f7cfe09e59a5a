"""The labels that routers are metered by, for Neutron and venturi alike.

Owns prefixes and rules. Each label is one prefix, what leaves from it and what comes to it; what leaves for one network counts for none.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np

from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import ADDRESS_BITS, Prefix

FAMILIES = (4, 6)

EXCLUDED = {4: Prefix.parse("10.0.0.0/8"), 6: Prefix.parse("2001:dff::/32")}
"""The network whose traffic is excluded from every label, by family."""

INSIDE_V6 = 0x2001_0DB8
"""What stands before an IPv4 address in the IPv6 address that does its work: /32 becomes /64."""

_V6_BITS = 32
_FIRST_NETWORK = 20 << 16
_NETWORKS = 80 << 16
_HOST_LENGTH = 32
_NETWORK_LENGTH = 24


def make_labels(family: int, count: int) -> list[LabelWithRules]:
    """Make ``count`` labels of a family: hosts (/32, /64) and networks (/24, /56) by turns, scattered over the address space."""
    chance = np.random.default_rng(count)
    networks = chance.choice(_NETWORKS, size=count, replace=False) + _FIRST_NETWORK
    hosts = chance.integers(1, 255, size=count)
    prefixes = [
        _place(family, (network << 8) | host, _HOST_LENGTH) if number % 2 == 0 else _place(family, network << 8, _NETWORK_LENGTH)
        for number, (network, host) in enumerate(zip(networks.tolist(), hosts.tolist(), strict=True))
    ]
    return [_make_label(number, prefix) for number, prefix in enumerate(prefixes)]


def change_one(labels: Sequence[LabelWithRules], turn: int) -> list[LabelWithRules]:
    """Give the labels with one rule changed, another one in every ``turn``: it is about a network that no label had."""
    number = turn % len(labels)
    family = labels[number].rules[0].family
    changed = _place(family, (_FIRST_NETWORK + _NETWORKS + turn) << 8, _NETWORK_LENGTH)
    excluding, egress, ingress = labels[number].rules
    rules = (excluding, replace(egress, source_ip_prefix=changed), ingress)
    return [*labels[:number], LabelWithRules(labels[number].label, rules), *labels[number + 1 :]]


def labelled_prefix(entry: LabelWithRules) -> Prefix:
    """Give the prefix that a label is about."""
    prefix = entry.rules[1].source_ip_prefix
    assert prefix is not None  # noqa: S101 - so are labels made here
    return prefix


def _place(family: int, address: int, length: int) -> Prefix:
    if family == 4:
        return Prefix(4, address, length)
    return Prefix(6, ((INSIDE_V6 << _V6_BITS) | address) << (ADDRESS_BITS[6] // 2), length + _V6_BITS)


def _make_label(number: int, prefix: Prefix) -> LabelWithRules:
    identity = str(UUID(int=number << 96))

    def rule(place: int, direction: Direction, source: Prefix | None, destination: Prefix | None, *, excluded: bool) -> MeteringLabelRule:
        return MeteringLabelRule(
            id=str(UUID(int=number << 96 | place)),
            metering_label_id=identity,
            direction=direction,
            source_ip_prefix=source,
            destination_ip_prefix=destination,
            excluded=excluded,
        )

    rules = (
        rule(1, Direction.EGRESS, None, EXCLUDED[prefix.family], excluded=True),
        rule(2, Direction.EGRESS, prefix, None, excluded=False),
        rule(3, Direction.INGRESS, None, prefix, excluded=False),
    )
    return LabelWithRules(MeteringLabel(id=identity, name=f"customer-{number:05d}", shared=True), rules)
