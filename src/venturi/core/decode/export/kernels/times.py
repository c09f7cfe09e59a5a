"""When a flow was: the time fields of records brought to nanoseconds since the UTC epoch.

Owns their encodings (RFC 7011 §6.1.7-10, RFC 3954 §8, IANA 21, 22, 150-162, 322-325) and the clock-skew rule. The two encodings that most
exporters use have a short way of their own, which gives up at the first record that needs more.
"""

from typing import NamedTuple

from venturi.core.decode.capture.words import Octets, network_32, signed_64
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.state import Words
from venturi.core.kernel import step

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970 (RFC 5905 §6)
_WRAP = 1 << 32
_LATEST = 1 << 62
_LONGEST = 30 * 86_400 * _SECOND
_MEANINGLESS = 0x7FF  # the lowest 11 bits of microseconds (RFC 7011 §6.1.9)


@step
def uptime_time(export_time: int, uptime: int, moment: int) -> int:
    """Give the time of ``moment``, an uptime in milliseconds that wraps at 2^32, as seen when the uptime was ``uptime``."""
    age = (uptime - moment) & (_WRAP - 1)
    if age >= _WRAP >> 1:
        age -= _WRAP
    return export_time - age * _MILLISECOND


@step
def ntp_time(value: int) -> int:
    """Give the time of an NTP timestamp of 64 bits, reading eras so that times lie after 1970 (RFC 7011 §6.1.10)."""
    seconds = ((value >> 32) - _NTP_EPOCH) & (_WRAP - 1)
    return seconds * _SECOND + ((value & (_WRAP - 1)) * _SECOND >> 32)


@step
def field_time(kind: int, value: int, cursor: Words, initial: int) -> int:
    """Give the time that a field of a record states, or -1 if it states none that can be.

    ``initial`` is the time in milliseconds at which the exporter was initialised, or -1 if the cursor tells its uptime.
    """
    exported: int = cursor[state.EXPORT_TIME]
    uptime: int = cursor[state.UPTIME]
    time = -1
    if kind == state.UPTIME_MILLISECONDS:
        if initial >= 0:
            uptime = exported // _MILLISECOND - initial
        if initial >= 0 or uptime >= 0:
            time = uptime_time(exported, uptime, value)
    elif kind == state.SECONDS and 0 <= value < _LATEST // _SECOND:
        time = value * _SECOND
    elif kind == state.MILLISECONDS and 0 <= value < _LATEST // _MILLISECOND:
        time = value * _MILLISECOND
    elif kind == state.NTP_MICROSECONDS:
        time = ntp_time(value & ~_MEANINGLESS)
    elif kind == state.NTP_NANOSECONDS:
        time = ntp_time(value)
    elif kind == state.DELTA_MICROSECONDS and 0 <= value < _WRAP:
        time = exported - value * 1000
    return time


class Moments(NamedTuple):
    """The time fields of flows as sent, and what they mean, all int64, shape (flows,): ``starts`` and ``ends`` are replaced by times.

    ``initials`` holds systemInitTimeMilliseconds where ``has_initials``, ``durations`` numbers of ``duration_unit`` nanoseconds unless
    that is 0.
    """

    starts: Words
    ends: Words
    initials: Words
    durations: Words
    start_kind: int
    end_kind: int
    has_initials: bool
    duration_unit: int


@step
def settle_times(moments: Moments, cursor: Words) -> None:
    """Turn time fields into times with start <= end, those of a wrong clock into the reference time.

    A flow that tells no end, and no duration, ended when it was exported; one that tells no start is a moment. One whose end lies further
    than the allowed skew from the reference is placed there. One that starts after its end or 30 days before is a moment.
    """
    reference = cursor[state.REFERENCE_TIME]
    exported = cursor[state.EXPORT_TIME]
    skew = cursor[state.MAXIMUM_SKEW]
    initial = -1
    replaced = 0
    for record in range(len(moments.starts)):
        if moments.has_initials:
            initial = moments.initials[record]
        start = field_time(moments.start_kind, moments.starts[record], cursor, initial)
        end = field_time(moments.end_kind, moments.ends[record], cursor, initial)
        if moments.duration_unit and 0 <= moments.durations[record] < _WRAP:
            duration = moments.durations[record] * moments.duration_unit
            if end < 0 <= start:
                end = start + duration
            elif start < 0 <= end:
                start = end - duration
        if end == -1:
            end = exported
        if start == -1:
            start = end
        if end < 0 or end - reference > skew or reference - end > skew:
            start = end = reference
            replaced += 1
        elif start > end or start < 0 or end - start > _LONGEST:
            start = end
            replaced += 1
        moments.starts[record] = start
        moments.ends[record] = end
    cursor[state.REPLACED_TIMES] += replaced


class TimeFields(NamedTuple):
    """Where the two time fields of a block's first record lie, the octets from one record to the next, and where their times go."""

    start_place: int
    end_place: int
    stride: int
    starts: Words
    ends: Words


@step
def fill_uptimes(buffer: Octets, fields: TimeFields, cursor: Words) -> bool:
    """Write the times of records whose fields are uptimes of four octets; false if any needs correction (``settle_times``)."""
    start_place, end_place, stride, starts, ends = fields
    reference, skew = cursor[state.REFERENCE_TIME], cursor[state.MAXIMUM_SKEW]
    exported, uptime = cursor[state.EXPORT_TIME], cursor[state.UPTIME]
    implausible = 0
    for record in range(len(starts)):
        start = uptime_time(exported, uptime, network_32(buffer, start_place + record * stride))
        end = uptime_time(exported, uptime, network_32(buffer, end_place + record * stride))
        implausible |= implausibility(start, end, reference, skew)
        starts[record] = start
        ends[record] = end
    return implausible >= 0


@step
def fill_milliseconds(buffer: Octets, fields: TimeFields, cursor: Words) -> bool:
    """Write the times of records whose fields are milliseconds of eight octets; as ``fill_uptimes``."""
    start_place, end_place, stride, starts, ends = fields
    reference, skew = cursor[state.REFERENCE_TIME], cursor[state.MAXIMUM_SKEW]
    implausible = 0
    for record in range(len(starts)):
        start = signed_64(buffer, start_place + record * stride)
        end = signed_64(buffer, end_place + record * stride)
        implausible |= start | end | (_LATEST // _MILLISECOND - 1 - start) | (_LATEST // _MILLISECOND - 1 - end)
        start *= _MILLISECOND
        end *= _MILLISECOND
        implausible |= implausibility(start, end, reference, skew)
        starts[record] = start
        ends[record] = end
    return implausible >= 0


@step
def implausibility(start: int, end: int, reference: int, skew: int) -> int:
    """Give a negative number for times that need correction."""
    duration = end - start
    return start | duration | (_LONGEST - duration) | (skew - (end - reference)) | (skew - (reference - end))
