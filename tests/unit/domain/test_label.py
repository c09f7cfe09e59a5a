"""Labels and rules: what makes a rule, and where a label applies."""

import pytest

from tests.spec.build import label, rule
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRuleError
from venturi.core.domain.label import MeteringLabelRule, applicable_labels
from venturi.core.domain.prefix import Prefix

_V4, _V6 = Prefix.parse("10.0.0.0/8"), Prefix.parse("::/0")


@pytest.mark.parametrize(
    ("direction", "source", "destination", "sentence"),
    [
        (Direction.UNKNOWN, _V4, None, "ingress or egress"),
        (Direction.INGRESS, None, None, "needs a source or a destination"),
        (Direction.INGRESS, _V4, _V6, "of one family"),
    ],
    ids=["unknown direction", "no prefix", "two families"],
)
def test_refused_rules(direction: Direction, source: Prefix | None, destination: Prefix | None, sentence: str) -> None:
    """A rule that contradicts itself cannot be made."""
    with pytest.raises(InvalidRuleError, match=sentence):
        MeteringLabelRule(id="r", metering_label_id="l", direction=direction, source_ip_prefix=source, destination_ip_prefix=destination)


def test_the_family_of_a_rule_is_that_of_its_prefixes() -> None:
    """Either side tells the family."""
    assert rule("in * > ::/0").family == 6
    assert rule("in 10.0.0.0/8 > *").family == 4


@pytest.mark.parametrize(
    ("project_id", "shared", "names"),
    [("a", False, ["own", "shared"]), ("b", False, ["other", "shared"]), ("c", False, ["shared"]), ("c", True, ["own", "other", "shared"])],
    ids=["own project", "another project", "no label's project", "shared point"],
)
def test_applicable_labels(project_id: str, shared: bool, names: list[str]) -> None:
    """A label applies at points of its project, at shared points and, if shared, everywhere."""
    labels = [label("own", project_id="a"), label("other", project_id="b"), label("shared", project_id="a", shared=True)]
    assert [entry.label.name for entry in applicable_labels(labels, project_id=project_id, shared=shared)] == names
