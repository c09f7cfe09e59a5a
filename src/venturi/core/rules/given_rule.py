"""Rules as they were given, the deprecated ``remote_ip_prefix`` included: what is stored and echoed.

Metering uses the rule that a given rule stands for.
"""

from dataclasses import dataclass

from venturi.core.domain.label import MeteringLabelRule
from venturi.core.rules.rule_fields import RuleFields, check_prefixes, make_rule


@dataclass(frozen=True)
class GivenRule:
    """A metering label rule with the prefixes as its author spelled them, host bits kept."""

    id: str
    metering_label_id: str
    fields: RuleFields

    def __post_init__(self) -> None:
        """Refuse prefixes that cannot stand together with ``InvalidRuleError``."""
        check_prefixes(self.fields)

    @property
    def rule(self) -> MeteringLabelRule:
        """The rule to meter by."""
        return make_rule(self.fields, self.id, self.metering_label_id)
