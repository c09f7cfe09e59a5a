"""Every engine equals the readable one on any rules and any packets."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.engines import ENGINES, run_reference
from tests.spec.strategies import label_sets, passages
from venturi.core.classify.reference import Passage
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
