"""The values of one rule together: which may stand side by side, and the rule that they make.

The deprecated ``remote_ip_prefix`` ends here: it becomes the source on egress and the destination on ingress.
"""

from typing import NamedTuple

from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRuleError
from venturi.core.domain.label import MeteringLabelRule
from venturi.core.domain.prefix import Prefix


class RuleFields(NamedTuple):
    """The values of a rule as given, each valid by itself; ``excluded`` is None where the source does not tell."""

    direction: Direction
    excluded: bool | None
    remote_ip_prefix: Prefix | None
    source_ip_prefix: Prefix | None
    destination_ip_prefix: Prefix | None

    @property
    def matching(self) -> tuple[Prefix | None, Prefix | None]:
        """The source and the destination prefix that a packet must match."""
        if self.remote_ip_prefix is None:
            return self.source_ip_prefix, self.destination_ip_prefix
        if self.direction is Direction.EGRESS:
            return self.remote_ip_prefix, None
        return None, self.remote_ip_prefix


def check_prefixes(fields: RuleFields) -> None:
    """Refuse prefixes that may not stand together, or none, with ``InvalidRuleError``."""
    sides = fields.source_ip_prefix or fields.destination_ip_prefix
    if not sides and not fields.remote_ip_prefix:
        message = (
            "You must define at least one of the following parameters 'remote_ip_prefix', or 'source_ip_prefix' or 'destination_ip_prefix'."
        )
        raise InvalidRuleError(message)
    if sides and fields.remote_ip_prefix:
        message = "Cannot use 'remote-ip-prefix' in conjunction with 'source-ip-prefix' or 'destination-ip-prefix'."
        raise InvalidRuleError(message)
    source, destination = fields.source_ip_prefix, fields.destination_ip_prefix
    if source and destination and source.family != destination.family:
        message = f"Cannot use source_ip_prefix '{source}' and destination_ip_prefix '{destination}' of two IP versions in one rule."
        raise InvalidRuleError(message)


def make_rule(fields: RuleFields, identifier: str, metering_label_id: str) -> MeteringLabelRule:
    """Make the rule of a label."""
    source, destination = fields.matching
    return MeteringLabelRule(
        id=identifier,
        metering_label_id=metering_label_id,
        direction=fields.direction,
        source_ip_prefix=source,
        destination_ip_prefix=destination,
        excluded=bool(fields.excluded),
    )
