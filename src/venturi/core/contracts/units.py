"""Units, decimal numbers as texts, and rounding.

Owns that every figure is an exact fraction until it is rounded, and how a fraction is spelled. No float is anywhere.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from types import MappingProxyType

from venturi.core.domain.errors import InvalidRequestError
from venturi.core.rules.checks import printable

RATE_UNITS: Mapping[str, int] = MappingProxyType(
    {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9, "Tbit/s": 10**12},
)
"""Units of rates, each in bits per second."""

VOLUME_UNITS: Mapping[str, int] = MappingProxyType(
    {"B": 1}
    | {f"{letter}B": 1000**power for power, letter in enumerate("kMGTP", 1)}
    | {f"{letter}iB": 1024**power for power, letter in enumerate("KMGTP", 1)},
)
"""Units of volumes, each in octets: decimal ones, and binary ones (IEC 80000-13)."""

DECIMAL = r"^[0-9]{1,15}(\.[0-9]{1,9})?\Z"
"""A plain decimal number: no sign, no exponent."""

_QUANTITY = re.compile(r"(?P<number>[0-9]{1,15}(\.[0-9]{1,9})?) ?(?P<unit>\S+)", re.ASCII)


class Rounding(StrEnum):
    """How a figure is rounded to the decimals of a contract."""

    HALF_UP = "half_up"
    UP = "up"
    DOWN = "down"


def round_to(value: Fraction, decimals: int, rounding: Rounding = Rounding.HALF_UP) -> Fraction:
    """Round a value that is not negative to so many decimals."""
    scaled = value * 10**decimals
    whole = {
        Rounding.HALF_UP: lambda: floor(scaled + Fraction(1, 2)),
        Rounding.UP: lambda: ceil(scaled),
        Rounding.DOWN: lambda: floor(scaled),
    }[rounding]()
    return Fraction(whole, 10**decimals)


def spell_decimal(value: Fraction, decimals: int) -> str:
    """Spell a value with exactly so many decimals, to which it is rounded half up, away from zero."""
    scaled = floor(abs(value) * 10**decimals + Fraction(1, 2))
    whole, rest = divmod(scaled, 10**decimals)
    sign = "-" if value < 0 and scaled else ""
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


def spell_exact(value: Fraction) -> str:
    """Spell a value with as many decimals as it has, at most nine, to which any other is rounded."""
    text = spell_decimal(value, 9)
    return text.rstrip("0").rstrip(".")


def is_rate(unit: str) -> bool:
    """Tell whether a unit is one of rates."""
    return unit in RATE_UNITS


def factor_of(unit: str) -> int:
    """Give how many bits per second, or octets, a unit stands for."""
    return RATE_UNITS.get(unit) or VOLUME_UNITS[unit]


def read_quantity(text: str, unit: str) -> Fraction:
    """Read a number with its unit, such as ``6.5Gbit/s``, and give it in ``unit``; raises ``InvalidRequestError``."""
    units = RATE_UNITS if is_rate(unit) else VOLUME_UNITS
    found = _QUANTITY.fullmatch(text)
    if found is None or found["unit"] not in units:
        message = f"'{printable(text)}' is no number with one of the units {', '.join(units)}, such as 6.5{unit}"
        raise InvalidRequestError(message)
    return Fraction(found["number"]) * units[found["unit"]] / units[unit]
