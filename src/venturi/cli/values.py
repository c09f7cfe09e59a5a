"""Values of options: words on a command line into values of the domain.

Owns their spelling and what is said of a wrong one.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import rich_click as click

from venturi.core.domain.errors import VenturiError
from venturi.core.domain.interval import parse_duration
from venturi.core.domain.prefix import Prefix, parse_address
from venturi.services.offline.request import GROUPINGS, OutsideInterface, SamplingOverride

_HIGHEST_INTERFACE = 0xFFFF_FFFF


class DomainValue(click.ParamType[object]):
    """An option's value that a function of the domain reads; what that refuses is said of the option."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        """Take the name that help shows, and the function, which raises ``VenturiError`` or ``ValueError``."""
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> object:  # noqa: ANN401 - click hands over anything
        """Read the value unless it was read already."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except (VenturiError, ValueError) as error:
            self.fail(f"{error}.", param, ctx)


def read_grouping(text: str) -> tuple[str, ...]:
    """Read a list of what to tell usage apart by, label among them; else ``ValueError``."""
    chosen = text.split(",")
    for word in chosen:
        if word not in GROUPINGS:
            message = f"'{word}' is none of {', '.join(GROUPINGS)}"
            raise ValueError(message)
    if "label" not in chosen:
        message = "usage is that of labels, so 'label' must be among them"
        raise ValueError(message)
    return tuple(word for word in GROUPINGS if word in chosen)


def read_outside_interface(text: str) -> OutsideInterface:
    """Read ``EXPORTER:IFINDEX``, an IPv6 exporter with or without brackets; else ``ValueError``."""
    exporter, _, interface = text.rpartition(":")
    if not exporter or not interface.isdecimal() or int(interface) > _HIGHEST_INTERFACE:
        message = f"'{text}' is not of the form EXPORTER:IFINDEX, such as 192.0.2.1:7"
        raise ValueError(message)
    family, address = parse_address(exporter.removeprefix("[").removesuffix("]"))
    return OutsideInterface(family, address, int(interface))


def read_sampling(text: str) -> SamplingOverride:
    """Read ``RATE`` or ``EXPORTER=RATE``, the rate a whole number or a fraction of at least 1; else ``ValueError``."""
    exporter, _, rate_text = text.rpartition("=")
    try:
        rate = Fraction(rate_text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate < 1:
        message = f"'{text}' is not of the form RATE or EXPORTER=RATE with a rate of at least 1, such as 192.0.2.1=1000"
        raise ValueError(message)
    family, address = parse_address(exporter) if exporter else (None, None)
    return SamplingOverride(family, address, rate)


def read_column(text: str) -> tuple[str, str]:
    """Read ``FIELD=COLUMN``; else ``ValueError``."""
    field, separator, column = text.partition("=")
    if not (field and separator and column):
        message = f"'{text}' is not of the form FIELD=COLUMN, such as octets=in_bytes"
        raise ValueError(message)
    return field, column


PREFIX = DomainValue("prefix", Prefix.parse)
DURATION = DomainValue("duration", parse_duration)
GROUPING = DomainValue("list", read_grouping)
OUTSIDE_INTERFACE = DomainValue("exporter:ifindex", read_outside_interface)
SAMPLING = DomainValue("[exporter=]rate", read_sampling)
COLUMN = DomainValue("field=column", read_column)
