"""Queries of usage: parameters into a request for a report.

Owns their names and defaults. What a report can be is for the services.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Annotated, TypeVar

from msgspec import Meta

from venturi.core.contracts.units import DECIMAL
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRequestError, InvalidTimeError
from venturi.core.domain.interval import Nanoseconds, format_time
from venturi.core.domain.text import is_fit
from venturi.core.ledger.bins import DAY
from venturi.core.ledger.calendar import PERIOD_PATTERN, PERIODS, UTC_CALENDAR, Calendar, Period
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import Parameter
from venturi.interfaces.api.v1.forms.reading import Query, read_boolean, read_once
from venturi.interfaces.api.v1.forms.texts import FitText, TimeOfUsage
from venturi.services.reports.request import (
    Bounds,
    Compared,
    Grouping,
    Order,
    Rates,
    RateUnit,
    Resolution,
    Top,
    UsageRequest,
    align,
    find_earlier,
)

Word = TypeVar("Word", bound=StrEnum)

POINT_FILTERS = {
    "observation_point_id": "point_ids",
    "observation_point_name": "point_names",
    "point_project_id": "point_project_ids",
    "boundary": "boundaries",
    "point": "points",
}
USAGE_FILTERS = {"label_id": "label_ids", "project_id": "project_ids", "label": "label_names", "project": "projects", **POINT_FILTERS}
"""The filters, and the fields of a request that they fill."""

_FILTERED = {
    "label_id": "Only usage of this label.",
    "project_id": "Only usage of labels of this project.",
    "label": "Only usage of labels of this name; an asterisk stands for any text.",
    "project": "Only usage of labels of this project; an asterisk stands for any text.",
    "point": "Only what passed observation points of this name; an asterisk stands for any text.",
    "observation_point_id": "Only what passed this observation point.",
    "observation_point_name": "Only what passed observation points of this name, among those that the report may be about.",
    "point_project_id": "Only what passed observation points of this project.",
    "boundary": "Only what passed observation points of this boundary, in which an asterisk stands for any text; without it, rows of"
    " several stand side by side, unless the server has a `billing_boundary`.",
}


class UsageForm(StrEnum):
    """The forms of an answer."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


MEDIA_TYPES: Mapping[UsageForm, str] = MappingProxyType(
    {
        UsageForm.JSON: "application/json",
        UsageForm.CSV: "text/csv",
        UsageForm.PARQUET: "application/vnd.apache.parquet",
        UsageForm.ARROW: "application/vnd.apache.arrow.stream",
    }
)
"""The media types of the forms."""

COLUMNAR = frozenset({UsageForm.PARQUET, UsageForm.ARROW})
"""The forms that are for programs that read by columns, each value with its type."""


@dataclass(frozen=True, kw_only=True)
class Askable:
    """What a resource can be asked: its filters, what it tells apart, the first ``unasked`` of which by default.

    ``counts`` names what is counted of a request.
    """

    filters: dict[str, str]
    groupings: Sequence[Grouping]
    unasked: tuple[Grouping, ...]
    counts: Callable[[UsageRequest], Sequence[str]]


_OTHERS = (
    Parameter(name="from", description="When the report begins; by default a day before its end.", form=TimeOfUsage),
    Parameter(name="to", description="When it ends; by default now. Bounds are widened to whole intervals.", form=TimeOfUsage),
    Parameter(
        name="period",
        description=f"What it is about, in place of `from` and `to`: {PERIODS}. One that is not over is reported so far.",
        form=Annotated[str, Meta(pattern=PERIOD_PATTERN)],
    ),
    Parameter(
        name="zone",
        description="The time zone of hours, days, weeks and months, of periods and of dates: a name of the IANA database such as"
        " Europe/Zurich; by default UTC.",
        form=FitText,
    ),
    Parameter(name="resolution", description="The length of its intervals; by default one for all.", form=Resolution),
    Parameter(name="format", description="The form of the answer; by default what Accept asks for, else JSON.", form=UsageForm),
    Parameter(
        name="raw",
        description="Whether cells of CSV stand as they are, for programs; by default a spreadsheet shows them and runs none.",
        form=bool,
    ),
)
_MOST_TOP = 10_000
_PERCENTILE = Annotated[str, Meta(pattern=DECIMAL, examples=["95"])]
_RANKING = (
    Parameter(
        name="direction",
        description="Only what passed in this direction. Repeated, any of them.",
        form=Direction,
        many=True,
    ),
    Parameter(
        name="top",
        description="How many groups of each boundary are told apart, ranked over the whole report and both directions together; all others"
        " are one row. Each row then has a `kind`. Beside them stands what the points of the boundary counted in all, once.",
        form=Annotated[int, Meta(ge=1, le=_MOST_TOP)],
    ),
    Parameter(
        name="compare",
        description="Set beside each figure that of the period before, so far of the same part of it; without a period, of as much time"
        " right before.",
        form=Compared,
    ),
    Parameter(
        name="unit",
        description="Set rates in this unit beside each figure: the mean, the least, the most and a percentile of samples of 5 minutes.",
        form=RateUnit,
    ),
    Parameter(name="percentile", description="Which percentile of samples; by default 95.", form=_PERCENTILE),
    Parameter(
        name="forecast",
        description="Set beside each figure what it will be at the end of the period, which is so far, at least and at most.",
        form=bool,
    ),
    Parameter(name="order_by", description="By what the largest are ranked; by default bytes.", form=Order),
)
_OTHER_NAMES = frozenset(parameter.name for parameter in (*_OTHERS, *_RANKING))
_GROUP_BY = "group_by"
_FIRST_YEAR = "1970"
_HUNDRED = 100


def usage_parameters(askable: Askable) -> list[Parameter]:
    """Describe what a report can be asked for."""
    unasked = " and ".join(askable.unasked)
    told_apart = Parameter(
        name=_GROUP_BY,
        description=f"What to tell apart, repeated or with commas; by default {unasked}.",
        form=Annotated[str, Meta(pattern=rf"^({'|'.join(askable.groupings)})\Z")],
        many=True,
    )
    filters = [
        Parameter(name=name, description=f"{_FILTERED[name]} Repeated, any of them.", form=FitText, many=True) for name in askable.filters
    ]
    return [*_OTHERS, told_apart, *filters, *_RANKING]


def read_request(query: Query, askable: Askable, now: Nanoseconds) -> UsageRequest:
    """Read what a report is asked for, by default the day until ``now``; raises ``InvalidRequestError`` naming the parameter.

    It ends with the interval that ``now`` is in, whatever is asked.
    """
    unknown = sorted(set(query) - _OTHER_NAMES - {_GROUP_BY, *askable.filters})
    if unknown:
        message = f"{printable(unknown[0])}: usage has no such parameter; it can be filtered by {', '.join(askable.filters)}"
        raise InvalidRequestError(message)
    resolution = _read_word(query, "resolution", Resolution, Resolution.TOTAL)
    calendar = _read_calendar(query)
    period = _read_period(query, calendar, now)
    start, end = _read_bounds(query, calendar, now) if period is None else (period.start, max(period.start + 1, min(period.end, now)))
    aligned_start, aligned_end = align(start, end, resolution, calendar)
    return UsageRequest(
        start=aligned_start,
        end=aligned_end,
        resolution=resolution,
        group_by=_read_groupings(query, askable),
        calendar=calendar,
        period=period,
        top=_read_top(query),
        compared=_read_compared(query, aligned_start, aligned_end, calendar, period),
        rates=_read_rates(query),
        forecast=_read_flag(query, "forecast"),
        directions=_read_directions(query),
        **{field: _read_values(query, name) for name, field in askable.filters.items()},
    )


def read_form(query: Query, accepted: str) -> UsageForm:
    """Read the form of the answer: ``format``, or JSON for who accepts it, else the first one accepted; raises ``InvalidRequestError``."""
    wanted = [part.partition(";")[0].strip().lower() for part in accepted.split(",")]
    named = [form for media_type in wanted for form in UsageForm if MEDIA_TYPES[form] == media_type]
    by_header = UsageForm.JSON if UsageForm.JSON in named or not named else named[0]
    return _read_word(query, "format", UsageForm, by_header)


def read_raw(query: Query) -> bool:
    """Read whether cells of CSV are wanted as they are, also those that a spreadsheet would run; raises ``InvalidRequestError``."""
    return _read_flag(query, "raw")


def _read_flag(query: Query, name: str) -> bool:
    text = read_once(query, name)
    return text is not None and read_boolean(name, text)


def _read_calendar(query: Query) -> Calendar:
    text = read_once(query, "zone")
    if text is None:
        return UTC_CALENDAR
    try:
        return Calendar(text)
    except InvalidTimeError as error:
        message = f"zone: {printable(error)}"
        raise InvalidRequestError(message) from error


def _read_period(query: Query, calendar: Calendar, now: Nanoseconds) -> Period | None:
    text = read_once(query, "period")
    if text is None:
        return None
    bounds = [name for name in ("from", "to") if name in query]
    if bounds:
        message = f"{bounds[0]}: a period has its own bounds; ask for one or the other"
        raise InvalidRequestError(message)
    try:
        return calendar.read_period(text, now)
    except InvalidTimeError as error:
        message = f"period: {printable(error)}"
        raise InvalidRequestError(message) from error


def _read_bounds(query: Query, calendar: Calendar, now: Nanoseconds) -> tuple[int, int]:
    end = min(_read_time(query, "to", calendar, now), now)
    start = _read_time(query, "from", calendar, Nanoseconds(max(0, end - DAY)))
    if start >= end:
        message = "from: a report begins before now" if start >= now else "from: a report begins before it ends"
        raise InvalidRequestError(message)
    return start, end


def _read_time(query: Query, name: str, calendar: Calendar, unasked: Nanoseconds) -> Nanoseconds:
    text = read_once(query, name)
    if text is None:
        return unasked
    try:
        time = calendar.parse_time(text)
    except InvalidTimeError as error:
        message = f"{name}: {printable(error)}"
        raise InvalidRequestError(message) from error
    if text[: len(_FIRST_YEAR)] < _FIRST_YEAR:
        message = f"{name}: no usage is older than {format_time(0)}"
        raise InvalidRequestError(message)
    # In the first hours of the year, a clock of another zone may show a time before it.
    return Nanoseconds(max(0, time))


def _read_top(query: Query) -> Top | None:
    text = read_once(query, "top")
    order = _read_word(query, "order_by", Order, Order.BYTES)
    if text is None and "order_by" in query:
        message = "order_by: it ranks the largest; say by top how many"
        raise InvalidRequestError(message)
    if text is None:
        return None
    count = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_MOST_TOP)) else 0
    if not 1 <= count <= _MOST_TOP:
        message = f"top: '{printable(text)}' is no number from 1 to {_MOST_TOP}"
        raise InvalidRequestError(message)
    return Top(count, order)


def _read_compared(query: Query, start: int, end: int, calendar: Calendar, period: Period | None) -> Bounds | None:
    if "compare" not in query:
        return None
    _read_word(query, "compare", Compared, Compared.PREVIOUS)
    return find_earlier(start, end, period, calendar)


def _read_rates(query: Query) -> Rates | None:
    text = read_once(query, "percentile")
    if "unit" not in query:
        if text is not None:
            message = "percentile: it is one of rates; say by unit in which"
            raise InvalidRequestError(message)
        return None
    unit = _read_word(query, "unit", RateUnit, RateUnit.BITS)
    if text is None:
        return Rates(unit)
    if re.fullmatch(DECIMAL, text) is None or not 0 < Fraction(text) <= _HUNDRED:
        message = f"percentile: '{printable(text)}' is no number above 0 and at most 100"
        raise InvalidRequestError(message)
    return Rates(unit, Fraction(text) / _HUNDRED)


def _read_directions(query: Query) -> frozenset[Direction] | None:
    if "direction" not in query:
        return None
    return frozenset(_word("direction", text, list(Direction)) for text in query["direction"])


def _read_word(query: Query, name: str, words: type[Word], unasked: Word) -> Word:
    text = read_once(query, name)
    return unasked if text is None else _word(name, text, list(words))


def _read_groupings(query: Query, askable: Askable) -> tuple[Grouping, ...]:
    if "group_by" not in query:
        return askable.unasked
    asked = {_word("group_by", text, askable.groupings) for values in query["group_by"] for text in values.split(",") if text}
    return tuple(grouping for grouping in askable.groupings if grouping in asked)


def _word(name: str, text: str, words: Sequence[Word]) -> Word:
    for word in words:
        if word == text:
            return word
    message = f"{name}: '{printable(text)}' is none of {', '.join(words)}"
    raise InvalidRequestError(message)


def _read_values(query: Query, name: str) -> frozenset[str] | None:
    if name not in query:
        return None
    for text in query[name]:
        if not is_fit(text):
            message = f"{name}: control and invisible characters are not allowed"
            raise InvalidRequestError(message)
    return frozenset(query[name])
