"""The status of an agent as it travels to the server: what the agent last knew of itself, and its open alarms.

Owns the form and its bounds. Gathering it is for the agent; what of it is believed is for the server.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from venturi.core.domain.grammars import TIME

MOST_ALARMS = 100
"""How many open alarms one status tells of."""

LONGEST_STATUS = 256 << 10
"""Octets of the longest status that a server reads."""

_HIGHEST = (1 << 63) - 1

Amount = Annotated[int, Meta(ge=0, le=_HIGHEST)]
Word = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=255)]
Sentence = Annotated[str, Meta(max_length=1024)]
TimeText = Annotated[
    str,
    Meta(
        max_length=64,
        description="A time in RFC 3339, UTC.",
        examples=["2026-03-01T00:00:00Z"],
        extra_json_schema={"pattern": TIME},
    ),
]
Kind = Annotated[str, Meta(max_length=64, pattern=r"\A[a-z][a-z0-9_]*\Z", description="A kind of alarm.", examples=["clock_step"])]


class ReportedAlarm(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """An open alarm: ``count`` is how often it was raised since it began, ``point_id`` the observation point that it is about."""

    kind: Kind
    subject: Text = ""
    sentence: Sentence
    count: Annotated[int, Meta(ge=1, le=_HIGHEST)] = 1
    point_id: Annotated[str, Meta(max_length=36)] = ""


class ReportedSpool(Struct, kw_only=True, frozen=True):
    """Octets in use of the limit, intervals in no batch yet, batches not acknowledged, and what a lack of room has come to."""

    octets: Amount
    limit: Amount
    waiting_intervals: Amount
    unacknowledged_batches: Amount
    pressure: Word


class ReportedStatus(Struct, kw_only=True, frozen=True):
    """All of it.

    ``report_interval_seconds`` is how often it comes; ``running`` is False in the last one of an agent that was told to stop.
    ``phase`` is that of delivery, ``problem`` what stands in its way. ``oldest_undelivered`` is the time of the oldest usage that the
    ledger has not acknowledged, ``clock_offset_seconds`` how far the agent's clock is ahead of the server's. ``places`` counts the devices
    of the plan by coverage, ``threads`` gives the state of each thread. What else a newer agent tells is ignored.
    """

    host: Annotated[str, Meta(min_length=1, max_length=253, pattern=r"\A[!-~]*\Z")]
    version: Word
    driver: Text
    phase: Word
    report_interval_seconds: Annotated[float, Meta(ge=1, le=3600)]
    running: bool = True
    problem: Sentence = ""
    written_at: TimeText | None = None
    plan_revision: Amount | None = None
    oldest_undelivered: TimeText | None = None
    clock_offset_seconds: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    spool: ReportedSpool | None = None
    places: Annotated[dict[Word, Amount], Meta(max_length=16)] = field(default_factory=dict)
    refused_batches: Amount = 0
    threads: Annotated[dict[Word, Word], Meta(max_length=32)] = field(default_factory=dict)
    alarms: Annotated[list[ReportedAlarm], Meta(max_length=MOST_ALARMS)] = field(default_factory=list)


class Pressure(StrEnum):
    """What a lack of room has come to."""

    NONE = "none"
    SHORTENED = "shortened"
    """Acknowledged batches went before their time."""
    COALESCED = "coalesced"
    """Intervals that wait were summed into longer ones: no count is lost, but their distribution over time."""
    FULL = "full"
    """Nothing can be recorded; the kernel goes on counting."""
