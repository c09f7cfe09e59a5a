"""The look-up finds the interval of every address, however the borders lie."""

from bisect import bisect_right
from itertools import chain

import numpy as np
import pytest

from venturi.core.classify.batch import BatchClassifier
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.direction import Direction, DirectionCode
from venturi.core.domain.flow_batch import FlowBatch
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import ADDRESS_BITS, Prefix

_WORD = (1 << 64) - 1
_DOCUMENTATION = 0x20010DB8 << 96
_PREFIXES = {
    "one network": [Prefix.parse("10.0.0.0/8")],
    "everything": [Prefix.parse("0.0.0.0/0")],
    "the first and the last address": [Prefix.parse("0.0.0.0/32"), Prefix.parse("255.255.255.255/32")],
    "a crowded bucket far from another border": [Prefix(4, number << 4, 30) for number in range(2_000)] + [Prefix.parse("240.0.0.0/4")],
    "networks side by side": [Prefix(4, 0x0A000000 + (number << 8), 24) for number in range(5_000)],
    "nested at one address": [Prefix(4, 0xC0A80000, length) for length in range(33)],
    "one network, IPv6": [Prefix.parse("2001:db8::/32")],
    "everything, IPv6": [Prefix.parse("::/0")],
    "the first and the last address, IPv6": [Prefix(6, 0, 128), Prefix(6, (1 << 128) - 1, 128)],
    "hosts of one /64": [Prefix(6, _DOCUMENTATION | number * 0x9E3779B97F4A7C15 & _WORD, 128) for number in range(1_000)],
    "hosts at both sides of a high word": [Prefix(6, _DOCUMENTATION + (1 << 64) + number, 128) for number in range(-300, 300)],
    "sites and a crowd of hosts": [Prefix(6, _DOCUMENTATION + (number << 80), 48) for number in range(500)]
    + [Prefix(6, _DOCUMENTATION + 3 * number, 127) for number in range(1, 500)],
    "nested at one address, IPv6": [Prefix(6, _DOCUMENTATION | _WORD, length) for length in range(129)],
}


def _classifier(prefixes: list[Prefix]) -> CompiledClassifier:
    rules = [
        MeteringLabelRule(id=str(number), metering_label_id="all", direction=Direction.EGRESS, source_ip_prefix=prefix)
        for number, prefix in enumerate(prefixes)
    ]
    return CompiledClassifier([LabelWithRules(MeteringLabel(id="all", name="all"), tuple(rules))])


def _batch(family: int, addresses: list[int]) -> FlowBatch:
    batch = FlowBatch.empty(len(addresses))
    batch.family.fill(family)
    batch.source_high[:] = [address >> 64 for address in addresses]
    batch.source_low[:] = [address & _WORD for address in addresses]
    return batch


@pytest.mark.parametrize("prefixes", _PREFIXES.values(), ids=_PREFIXES.keys())
def test_addresses_around_every_border(prefixes: list[Prefix]) -> None:
    """At, before and behind every border, and far from all, an address has the class of its interval."""
    family = prefixes[0].family
    classifier = _classifier(prefixes)
    classes = classifier.compiled(Direction.EGRESS, family).sources
    most = (1 << ADDRESS_BITS[family]) - 1
    near = chain.from_iterable((start - 1, start, start + 1, start ^ 1 << 70 & most) for start in classes.starts)
    addresses = sorted({address for address in (*near, 0, most, most // 3) if 0 <= address <= most})
    directions = np.full(len(addresses), DirectionCode.EGRESS, dtype=np.uint8)
    found = BatchClassifier(classifier).classify(_batch(family, addresses), directions).source_class
    assert found.tolist() == [classes.classes[bisect_right(classes.starts, address) - 1] for address in addresses]
