"""Rules made to be hostile stay within the stated bounds of work and memory."""

import numpy as np

from tests.spec.build import label
from venturi.core.classify.attribution import MOST_AT_ONCE
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.traffic_classes import ANY_CLASS, cut_into_classes
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabel
from venturi.core.domain.prefix import Prefix

_LABELS = 10_000


def _all_exclude_a_common_net() -> list[LabelWithRules]:
    return [label(f"label-{number}", f"out 10.{number >> 8}.{number & 255}.0/24 > *", "!out * > 192.0.2.0/24") for number in range(_LABELS)]


def test_ten_thousand_labels_that_exclude_a_common_net() -> None:
    """Their rules are stored once per class pair, and each of 20,000 pairs is attributed exactly."""
    compiled = CompiledClassifier(_all_exclude_a_common_net()).compiled(Direction.EGRESS, 4)
    excluded_class = compiled.destinations.class_of(Prefix.parse("192.0.2.0/24"))
    source_classes = [compiled.sources.class_of(Prefix.parse(f"10.{number >> 8}.{number & 255}.0/24")) for number in range(_LABELS)]
    sources = np.repeat(source_classes, 2)
    parts = list(compiled.attribution.attribute(sources, np.tile([ANY_CLASS, excluded_class], _LABELS)))
    assert np.concatenate([part.sizes for part in parts]).tolist() == [1, 0] * _LABELS
    assert np.concatenate([part.labels for part in parts]).tolist() == list(range(_LABELS))


def test_all_pairs_overlap_within_the_bound() -> None:
    """A thousand labels that count everything, at each of a thousand pairs: right, and in parts of bounded size that follow each other."""
    nets = [f"10.0.{number}.0/24" for number in range(32)]
    labels = [label(f"label-{number}", "out 10.0.0.0/8 > 10.0.0.0/8", *(f"out {net} > {net}" for net in nets)) for number in range(1000)]
    attribution = CompiledClassifier(labels).compiled(Direction.EGRESS, 4).attribution
    sources, destinations = (classes.ravel() for classes in np.meshgrid(np.arange(1, 34), np.arange(1, 34)))
    pairs = 0
    for part in attribution.attribute(sources, destinations):
        assert part.first == pairs
        assert len(part.labels) <= MOST_AT_ONCE + 2 * 1000
        assert np.array_equal(part.labels, np.tile(np.arange(1000), len(part.sizes)))
        assert set(part.sizes.tolist()) == {1000}
        pairs += len(part.sizes)
    assert pairs == len(sources)
    assert np.array_equal(attribution.labels(1, 33), np.arange(1000))


def test_intervals_are_linear_in_the_prefixes() -> None:
    """A chain of 129 nested prefixes, and 10,000 of one length, cut into at most twice as many intervals and one."""
    nested = [Prefix(6, 0x20010DB8 << 96, length) for length in range(129)]
    side_by_side = [Prefix(4, number << 8, 24) for number in range(0, 2 * _LABELS, 2)]
    for family, prefixes in ((6, nested), (4, side_by_side)):
        classes = cut_into_classes(family, prefixes)
        assert len(classes.starts) <= 2 * len(prefixes) + 1
        assert list(classes.starts) == sorted(set(classes.starts))


def test_the_digest_is_of_the_rules_alone() -> None:
    """Renaming a label or reordering rules leaves the digest; a changed rule does not."""
    one = label("a", "out 10.0.0.7/24 > *", "in * > 10.0.0.0/24")
    renamed = LabelWithRules(MeteringLabel(id="a", name="other"), tuple(reversed(one.rules)))
    masked = label("a", "out 10.0.0.0/24 > *", "in * > 10.0.0.0/24")
    excluded = label("a", "!out 10.0.0.0/24 > *", "in * > 10.0.0.0/24")
    digests = [CompiledClassifier([labels]).digest for labels in (one, renamed, masked, excluded)]
    assert digests[0] == digests[1] == digests[2] != digests[3]
