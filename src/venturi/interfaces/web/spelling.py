"""How pages spell rates, times and names.

Owns what is the same on every page. Counts and octets are spelled as in tables (``render.quantities``).
"""

from datetime import datetime

from markupsafe import Markup

from venturi.core.domain.interval import format_time
from venturi.core.domain.text import escape_unfit
from venturi.core.ledger.calendar import UTC_CALENDAR, Calendar
from venturi.interfaces.render.quantities import Units, format_octets


def spell_rate(octets: float) -> str:
    """Spell octets a second as bits a second."""
    number, unit = format_octets(round(octets * 8), Units.SI).split(" ")
    number = number.rstrip("0").removesuffix(".") if "." in number else number
    return f"{number} {unit.removesuffix('B')}bit/s"


def spell_clock(time: int, calendar: Calendar = UTC_CALENDAR, form: str = "%-d %b %Y %H:%M") -> str:
    """Spell a time as the clocks of a zone show it."""
    clock: datetime = calendar.clock(time)
    return clock.strftime(form)


def spell_moment(time: int | None, calendar: Calendar = UTC_CALENDAR) -> Markup:
    """Spell a time in a zone, with the time in UTC on hovering; a dash for None."""
    if time is None:
        return Markup("–")
    utc = format_time(time)
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(utc, spell_clock(time, calendar))


def spell_name(text: str, unnamed: str = "without a name") -> Markup:
    """Spell what somebody called something, so that no character of it acts on what stands around."""
    return Markup("<bdi>{}</bdi>").format(escape_unfit(text)) if text else Markup("<i>{}</i>").format(unnamed)
