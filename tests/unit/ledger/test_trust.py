"""Why an interval is held: words that a ledger keeps for good."""

from venturi.adapters.store.schema.ledger_tables import WORD_LENGTH
from venturi.core.ledger.trust import HeldReason

SPELLED = {
    HeldReason.UNTOLD_POINT: "untold_point",
    HeldReason.UNTOLD_LABEL: "untold_label",
    HeldReason.UNKNOWN_CLASSIFIER: "unknown_classifier",
    HeldReason.UNKNOWN_REVISION: "unknown_revision",
    HeldReason.OTHER_HOST: "other_host",
    HeldReason.OVERLAPPING: "overlapping",
    HeldReason.BEFORE_PLAN: "before_plan",
    HeldReason.IN_FUTURE: "in_future",
    HeldReason.ABOVE_LINE_RATE: "above_line_rate",
    HeldReason.TOO_LARGE: "too_large",
}


def test_a_reason_is_spelled_as_it_ever_was() -> None:
    assert {reason: str(reason) for reason in HeldReason} == SPELLED
    assert max(map(len, SPELLED.values())) <= WORD_LENGTH
