"""The checks of single values of labels and rules, with the messages of the Neutron API.

Shared by rules files and the API, each of which shows values in its own way (``Show``). Relations between values of a rule
live in ``rule_fields``, between rules in ``overlaps``.
"""

import uuid
from collections.abc import Callable

from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidLabelError, InvalidPrefixError, InvalidRuleError
from venturi.core.domain.prefix import Prefix
from venturi.core.domain.text import escape_unfit, is_fit

Show = Callable[[object], str]
"""Spells any value within a message."""

MAXIMUM_LENGTHS = {"name": 255, "description": 1024, "project_id": 255, "tenant_id": 255}
"""The longest text, in characters, that a label's attribute may hold."""

_ECHOED = 4096
_OCTETS = {str(number): number for number in range(256)}
_LENGTHS_V4 = {str(number): number for number in range(33)}
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_DIRECTIONS = {"ingress": Direction.INGRESS, "egress": Direction.EGRESS}


def printable(value: object) -> str:
    """Spell any value on one line of text that every output can carry, shortened where it is long."""
    text = escape_unfit(str(value))
    return text if len(text) <= 300 else f"{text[:300]}…"  # noqa: PLR2004 - longer than any value that is right


def check_label_text(attribute: str, value: object, show: Show = printable) -> str:
    """Accept a fit text (``core.domain.text``) without outer blanks, up to ``MAXIMUM_LENGTHS``; else ``InvalidLabelError``."""
    if not isinstance(value, str) or value != value.strip() or not is_fit(value):
        message = f"Invalid input for {attribute}. Reason: '{show(value)}' is not a valid string."
        raise InvalidLabelError(message)
    maximum = MAXIMUM_LENGTHS[attribute]
    if len(value) > maximum:
        message = f"Invalid input for {attribute}. Reason: '{value[:_ECHOED]}' exceeds maximum length of {maximum}."
        raise InvalidLabelError(message)
    return value


def check_label_boolean(_attribute: str, value: object, show: Show = printable) -> bool:
    """Accept true, 1, yes, on and their opposites in any case for a label; else ``InvalidLabelError``, which names no attribute."""
    truth = _truth(value)
    if truth is None:
        raise InvalidLabelError(_boolean_message(show(value)))
    return truth


def check_rule_boolean(_attribute: str, value: object, show: Show = printable) -> bool:
    """Accept true, 1, yes, on and their opposites in any case for a rule; else ``InvalidRuleError``, which names no attribute."""
    truth = _truth(value)
    if truth is None:
        raise InvalidRuleError(_boolean_message(show(value)))
    return truth


def check_direction(attribute: str, value: object, show: Show = printable) -> Direction:
    """Accept exactly ``ingress`` and ``egress``; else ``InvalidRuleError``."""
    direction = _DIRECTIONS.get(value) if isinstance(value, str) else None
    if direction is None:
        message = f"Invalid input for {attribute}. Reason: {show(value)} is not in valid_values."
        raise InvalidRuleError(message)
    return direction


def check_prefix(attribute: str, value: object, show: Show = printable) -> Prefix | None:
    """Accept a prefix of either family, or None for a prefix left out; else ``InvalidRuleError``."""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return _parse_dotted(value) or Prefix.parse(value)
        reason = f"'{show(value)}' does not appear to be an IPv4 or IPv6 interface"
    except InvalidPrefixError as error:
        reason = str(error)
    message = f"{attribute}: {show(value)} is invalid [{show(reason)}]."
    raise InvalidRuleError(message)


def check_label_identifier(attribute: str, value: object, show: Show = printable) -> str:
    """Accept a UUID and give it in its canonical spelling; else ``InvalidLabelError``."""
    identifier = _identifier(value)
    if identifier is None:
        raise InvalidLabelError(_identifier_message(attribute, show(value)))
    return identifier


def check_rule_identifier(attribute: str, value: object, show: Show = printable) -> str:
    """Accept a UUID and give it in its canonical spelling; else ``InvalidRuleError``."""
    identifier = _identifier(value)
    if identifier is None:
        raise InvalidRuleError(_identifier_message(attribute, show(value)))
    return identifier


def missing_attribute_message(attribute: str) -> str:
    """Say that an attribute without a default is missing."""
    return f"Required attribute '{attribute}' not specified"


def unknown_attribute_message(attribute: str) -> str:
    """Say that an attribute is not one of the resource's."""
    return f"Unrecognized attribute(s) '{printable(attribute)}'"


def _parse_dotted(text: str) -> Prefix | None:
    """Read the usual ``a.b.c.d/length``, or give None: ten times as fast as ``ipaddress``, which reads every other spelling."""
    address, _, length = text.partition("/")
    octets = address.split(".")
    try:
        first, second, third, fourth = [_OCTETS[octet] for octet in octets]
        return Prefix(4, first << 24 | second << 16 | third << 8 | fourth, _LENGTHS_V4[length])
    except (KeyError, ValueError):
        return None


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(value).lower() if isinstance(value, str | int) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def _boolean_message(shown: str) -> str:
    return f"Invalid input for operation: '{shown}' cannot be converted to boolean."


def _identifier(value: object) -> str | None:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _identifier_message(attribute: str, shown: str) -> str:
    return f"Invalid input for {attribute}. Reason: '{shown}' is not a valid UUID."
