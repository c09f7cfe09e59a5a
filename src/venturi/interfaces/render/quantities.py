"""Spells counts, rates, shares and durations for people, with integers throughout.

Owns units and rounding. Which counts are shown where is for the tables and charts.
"""

from enum import StrEnum
from fractions import Fraction

from venturi.core.domain.interval import SECOND


class Units(StrEnum):
    """How octets are spelled: multiples of 1000, multiples of 1024, exactly (under either name), or as multiples of 1000 bits."""

    SI = "si"
    IEC = "iec"
    OCTETS = "octets"
    BYTES = "bytes"
    BITS = "bits"


_STEPS = {Units.SI: 1000, Units.IEC: 1024, Units.BITS: 1000}
_SUFFIXES = {
    Units.SI: ("B", "kB", "MB", "GB", "TB", "PB", "EB"),
    Units.IEC: ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"),
    Units.BITS: ("bit", "kbit", "Mbit", "Gbit", "Tbit", "Pbit", "Ebit"),
}
_MANY_PERCENT = 1000
_DURATIONS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def format_count(count: int) -> str:
    """Spell a count in full, with thousands set apart."""
    return f"{count:,}"


def count_of(count: int, noun: str, plural: str = "") -> str:
    """Spell how many there are of something: ``1 label``, ``2 labels``; ``plural`` is for nouns that do not only take an s."""
    return f"{format_count(count)} {noun if count == 1 else plural or f'{noun}s'}"


def format_octets(octets: int, units: Units) -> str:
    """Spell octets in ``units``, with three significant digits where they are scaled."""
    if units in {Units.OCTETS, Units.BYTES}:
        return format_count(octets)
    return _scale(octets * 8 if units is Units.BITS else octets, units)


def _scale(count: int, units: Units) -> str:
    """Spell a count in the largest of its units that it reaches, with three significant digits."""
    step, suffixes = _STEPS[units], _SUFFIXES[units]
    scale, power = 1, 0
    while power < len(suffixes) - 1 and count * 2 >= scale * (2 * step - 1):
        scale *= step
        power += 1
    if power == 0:
        return f"{count} {suffixes[0]}"
    whole = count // scale
    digits = 2 if whole < 10 else 1 if whole < 100 else 0  # noqa: PLR2004 - three significant digits
    return f"{_decimal(Fraction(count, scale), digits)} {suffixes[power]}"


def format_rate(rate: Fraction, unit: str) -> str:
    """Spell a rate: bits per second in multiples of 1000 with three significant digits, packets per second with one decimal."""
    sign = "-" if rate < 0 else ""
    if unit != "bit/s":
        return f"{sign}{_decimal(abs(rate), 1)} {unit}"
    return f"{sign}{_scale(round(abs(rate)), Units.BITS)}/s"


def format_share(part: int, whole: int) -> str:
    """Spell ``part`` of ``whole`` in per cent; a trace that rounds to nothing shows as ``<0.1 %``."""
    if whole <= 0:
        return "–"
    if 0 < part * 2000 < whole:
        return "<0.1 %"
    return f"{_decimal(Fraction(part * 100, whole), 1)} %"


def format_change(after: int, before: int) -> str:
    """Spell by how much per cent more there is after than before, from 1000 on without decimals; of nothing there is no share."""
    if before <= 0:
        return "–"
    change = Fraction((after - before) * 100, before)
    spelled = _decimal(abs(change), 0 if abs(change) >= _MANY_PERCENT else 1)
    return f"{'-' if change < 0 and spelled != '0.0' else '+'}{spelled} %"


def format_duration(nanoseconds: int) -> str:
    """Spell a duration in the largest unit that divides it."""
    seconds = nanoseconds // SECOND
    for length, unit in _DURATIONS:
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _decimal(value: Fraction, digits: int) -> str:
    scaled = (value * 10**digits * 2 + 1) // 2
    whole, part = divmod(int(scaled), 10**digits)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)
