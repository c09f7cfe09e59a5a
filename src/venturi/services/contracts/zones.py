"""Time zones by their IANA names.

Owns that an unknown one is refused. What a zone says of days is for ``core.contracts.periods``.
"""

from zoneinfo import ZoneInfo

from venturi.core.domain.errors import InvalidContractError
from venturi.core.rules.checks import printable


def find_zone(name: str) -> ZoneInfo:
    """Find a time zone, such as ``Europe/Zurich``; raises ``InvalidContractError``."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        message = f"zone: '{printable(name)}' is no time zone: give a name such as Europe/Zurich or UTC"
        raise InvalidContractError(message) from error
