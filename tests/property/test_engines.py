"""Every engine equals the readable one on any rules and any packets."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.build import label
from tests.spec.engines import ENGINES, PARTITIONS, run_reference
from tests.spec.strategies import label_sets, passages
from venturi.core.classify.reference import Part, Passage
from venturi.core.domain.label import LabelWithRules, applicable_labels


@settings(max_examples=300, deadline=None)
@given(label_sets(), st.lists(passages(), min_size=1, max_size=20), st.sampled_from([("a", False), ("b", True), ("c", False)]))
def test_engines_agree(labels: list[LabelWithRules], packets: list[Passage], point: tuple[str, bool]) -> None:
    """All engines count every packet for the same labels, at points of any project."""
    project_id, shared = point
    applicable = applicable_labels(labels, project_id=project_id, shared=shared)
    expected = run_reference(applicable, packets)
    for engine in ENGINES.values():
        assert engine(applicable, packets) == expected


EVERYTHING = label("everything", "out 0.0.0.0/0 > *", "in 0.0.0.0/0 > *", "out ::/0 > *", "in ::/0 > *", project_id="z", shared=True)


@settings(max_examples=300, deadline=None)
@given(label_sets(), st.lists(passages(), min_size=1, max_size=20), st.booleans())
def test_partitions_agree(labels: list[LabelWithRules], packets: list[Passage], everything: bool) -> None:
    """All engines part packets alike; beside a shared label that counts everything, nothing is unmatched and nobody used more."""
    applicable = [*labels, EVERYTHING] if everything else labels
    expected = PARTITIONS["reference"](applicable, packets)
    assert PARTITIONS["batch"](applicable, packets) == expected
    if everything:
        assert Part.UNMATCHED not in [part for _, part in expected]
        assert [used for used, _ in expected] == [used for used, _ in PARTITIONS["reference"](labels, packets)]
