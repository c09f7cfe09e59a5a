"""Templates compiled: where in a record each field lies that a meter needs, and what the record is to the meter.

Owns which information elements stand for a flow's addresses, counts, times, interfaces and sampling, and their precedence.
"""

from typing import NamedTuple

import numpy as np

from venturi.core.decode.export import elements as ie
from venturi.core.decode.export.elements import REVERSE_ENTERPRISE, VARIABLE_LENGTH, Field, Template
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.state import Words

_COUNTER_OCTETS = 8
_NUMBER_OCTETS = 4
_OCTET_COUNTS = (ie.OCTET_DELTA_COUNT, ie.OCTET_TOTAL_COUNT, ie.INITIATOR_OCTETS, ie.POST_OCTET_DELTA_COUNT)
_PACKET_COUNTS = (ie.PACKET_DELTA_COUNT, ie.PACKET_TOTAL_COUNT, ie.INITIATOR_PACKETS, ie.POST_PACKET_DELTA_COUNT)
_RESPONDER_COUNTS = {ie.INITIATOR_OCTETS: ie.RESPONDER_OCTETS, ie.INITIATOR_PACKETS: ie.RESPONDER_PACKETS}

_OBSERVATION_TIMES = (
    (ie.OBSERVATION_TIME_MILLISECONDS, state.MILLISECONDS, 8),
    (ie.OBSERVATION_TIME_MICROSECONDS, state.NTP_MICROSECONDS, 8),
    (ie.OBSERVATION_TIME_NANOSECONDS, state.NTP_NANOSECONDS, 8),
    (ie.OBSERVATION_TIME_SECONDS, state.SECONDS, 4),
)
_START_TIMES = (
    (ie.FLOW_START_MILLISECONDS, state.MILLISECONDS, 8),
    (ie.FLOW_START_MICROSECONDS, state.NTP_MICROSECONDS, 8),
    (ie.FLOW_START_NANOSECONDS, state.NTP_NANOSECONDS, 8),
    (ie.FLOW_START_SECONDS, state.SECONDS, 4),
    (ie.FLOW_START_DELTA_MICROSECONDS, state.DELTA_MICROSECONDS, 4),
    (ie.FLOW_START_SYS_UP_TIME, state.UPTIME_MILLISECONDS, 4),
    *_OBSERVATION_TIMES,
)
_END_TIMES = (
    (ie.FLOW_END_MILLISECONDS, state.MILLISECONDS, 8),
    (ie.FLOW_END_MICROSECONDS, state.NTP_MICROSECONDS, 8),
    (ie.FLOW_END_NANOSECONDS, state.NTP_NANOSECONDS, 8),
    (ie.FLOW_END_SECONDS, state.SECONDS, 4),
    (ie.FLOW_END_DELTA_MICROSECONDS, state.DELTA_MICROSECONDS, 4),
    (ie.FLOW_END_SYS_UP_TIME, state.UPTIME_MILLISECONDS, 4),
    *_OBSERVATION_TIMES,
)
_DURATIONS = ((ie.FLOW_DURATION_MILLISECONDS, 1_000_000), (ie.FLOW_DURATION_MICROSECONDS, 1_000))
_SECTIONS = ((ie.IP_HEADER_PACKET_SECTION, 101), (ie.DATA_LINK_FRAME_SECTION, 1))  # with their LINKTYPE numbers
V5_RECORDS = Template(
    number=0,
    set_id=0,
    fields=tuple(
        Field(0, element, length)
        for element, length in (
            (ie.SOURCE_IPV4_ADDRESS, 4),
            (ie.DESTINATION_IPV4_ADDRESS, 4),
            (0, 4),  # next hop
            (ie.INGRESS_INTERFACE, 2),
            (ie.EGRESS_INTERFACE, 2),
            (ie.PACKET_DELTA_COUNT, 4),
            (ie.OCTET_DELTA_COUNT, 4),
            (ie.FLOW_START_SYS_UP_TIME, 4),
            (ie.FLOW_END_SYS_UP_TIME, 4),
            (0, 16),  # ports, flags, protocol, autonomous systems, masks
        )
    ),
    is_options=False,
    definition=b"",
)
"""The records of NetFlow v5 described as a template."""

METERING_OPTIONS = (
    ie.SAMPLING_INTERVAL,
    ie.SAMPLER_RANDOM_INTERVAL,
    ie.SAMPLING_PACKET_INTERVAL,
    ie.SAMPLING_SIZE,
    ie.SYSTEM_INIT_TIME_MILLISECONDS,
)
"""The options that concern a meter."""


class Layout(NamedTuple):
    """A compiled template: its rows of ``Tables.templates`` and ``Tables.layouts``, and field lengths if it is walked by fields."""

    template: Words
    roles: Words
    field_lengths: tuple[int, ...]


class _Compiler:
    """One template on its way to a layout: fields are found by element, roles are filled in."""

    def __init__(self, template: Template) -> None:
        self.is_variable = any(field.length == VARIABLE_LENGTH for field in template.fields)
        self.row = np.zeros(state.TEMPLATE_SLOTS, dtype=np.int64)
        self.roles = np.zeros((2, state.ROLES, 2), dtype=np.int64)
        self.by_field = self.is_variable
        self._fields = template.fields
        self._places: dict[tuple[int, int], int] = {}
        for place, field in enumerate(template.fields):
            if field.length:
                self._places.setdefault(field[:2], place)
        self._offsets = np.concatenate([[0], np.cumsum([_shortest(field) for field in template.fields])])

    def find(self, element: int, most: int, least: int = 1, enterprise: int = 0) -> tuple[int, int] | None:
        """Give place (offset or field number) and length of an element whose length is ``least`` to ``most`` octets, if there is one."""
        place = self._places.get((enterprise, element))
        if place is None or not least <= self._fields[place].length <= most:
            return None
        return (place if self.by_field else int(self._offsets[place])), self._fields[place].length

    def put(self, role: int, element: int, most: int, least: int = 1, enterprise: int = 0, flow: int = 0) -> bool:
        """Give a role to an element, if the template has it."""
        found = self.find(element, most, least, enterprise)
        if found is not None:
            self.roles[flow, role] = found
        return found is not None

    def put_first(self, role: int, candidates: tuple[int, ...], most: int) -> int:
        """Give a role to the first element of several that the template has; give its number, or 0."""
        for element in candidates:
            if self.put(role, element, most):
                return element
        return 0

    def put_pair(self, first: int, second: int) -> bool:
        """Give the roles of sampling to two elements, if the template has both."""
        if self.find(first, _NUMBER_OCTETS) is None or self.find(second, _NUMBER_OCTETS) is None:
            return False
        return self.put(state.SAMPLING_FIRST, first, _NUMBER_OCTETS) and self.put(state.SAMPLING_SECOND, second, _NUMBER_OCTETS)

    def put_time(self, role: int, candidates: tuple[tuple[int, int, int], ...], enterprise: int = 0, flow: int = 0) -> int:
        """Give a role to the first time element of several; give how it is encoded, or 0."""
        for element, kind, octets in candidates:
            least = octets if kind in (state.NTP_MICROSECONDS, state.NTP_NANOSECONDS) else 1
            if self.put(role, element, octets, least, enterprise, flow):
                return kind
        return state.NO_TIME_FIELD


def compile_template(template: Template) -> Layout:
    """Work out what the records of a template are to a meter, and where their fields lie."""
    compiler = _Compiler(template)
    is_options = template.is_options
    if is_options:
        concerns = any(field.enterprise == 0 and field.element in METERING_OPTIONS for field in template.fields)
        compiler.row[state.KIND] = state.OPTIONS if concerns else state.OTHER_OPTIONS
    else:
        _compile_flows(compiler, template)
    compiler.row[state.RECORD_LENGTH] = sum(_shortest(field) for field in template.fields)
    compiler.row[state.VARIABLE] = compiler.is_variable
    compiler.row[state.DEFINITION_LENGTH] = len(template.definition)
    compiler.row[state.DEFINITION_SET] = template.set_id
    by_field = compiler.by_field
    compiler.row[state.FIELD_COUNT] = len(template.fields) if by_field else 0
    return Layout(compiler.row, compiler.roles, tuple(field.length for field in template.fields) if by_field else ())


def _shortest(field: Field) -> int:
    return 1 if field.length == VARIABLE_LENGTH else field.length


def _compile_flows(compiler: _Compiler, template: Template) -> None:
    present = {field.element for field in template.fields if field.enterprise == 0 and field.length}
    has_section = any(element in present for element, _ in _SECTIONS)
    counted = _put_counts(compiler)
    addressed = _put_addresses(compiler)
    if has_section and not (any(counted) and addressed):
        compiler.by_field = True
        compiler.roles[:] = 0
        _put_section(compiler)
        kind = state.PACKET_SECTIONS
    elif not any(counted):
        kind = state.WITHOUT_COUNTS
    else:
        kind = state.FLOWS
        _put_reverse_counts(compiler, counted)
    compiler.row[state.KIND] = kind
    compiler.put(state.INPUT, ie.INGRESS_INTERFACE, _NUMBER_OCTETS)
    compiler.put(state.OUTPUT, ie.EGRESS_INTERFACE, _NUMBER_OCTETS)
    compiler.put(state.DIRECTION, ie.FLOW_DIRECTION, 1)
    _put_sampling(compiler)
    _put_times(compiler)
    _put_reverse(compiler)


def _put_counts(compiler: _Compiler) -> tuple[int, int]:
    octets = compiler.put_first(state.OCTETS, _OCTET_COUNTS, _COUNTER_OCTETS)
    packets = compiler.put_first(state.PACKETS, _PACKET_COUNTS, _COUNTER_OCTETS)
    return octets, packets


def _put_addresses(compiler: _Compiler) -> bool:
    narrow = [
        compiler.put(state.SOURCE_4, ie.SOURCE_IPV4_ADDRESS, 4, 4),
        compiler.put(state.DESTINATION_4, ie.DESTINATION_IPV4_ADDRESS, 4, 4),
    ]
    wide = [
        compiler.put(state.SOURCE_6, ie.SOURCE_IPV6_ADDRESS, 16, 16),
        compiler.put(state.DESTINATION_6, ie.DESTINATION_IPV6_ADDRESS, 16, 16),
    ]
    compiler.row[state.HAS_BOTH_FAMILIES] = any(narrow) and any(wide)
    return any(narrow) or any(wide)


def _put_section(compiler: _Compiler) -> None:
    compiler.row[state.HAS_BOTH_FAMILIES] = 0
    for element, link_type in _SECTIONS:
        if compiler.put(state.SECTION, element, VARIABLE_LENGTH):
            compiler.row[state.SECTION_LINK] = link_type
            break
    compiler.put(state.FRAME_SIZE, ie.DATA_LINK_FRAME_SIZE, _NUMBER_OCTETS)


def _put_sampling(compiler: _Compiler) -> None:
    if not compiler.put(state.SAMPLER, ie.SELECTOR_ID, _COUNTER_OCTETS):
        compiler.put(state.SAMPLER, ie.SAMPLER_ID, _COUNTER_OCTETS)
    kind = state.NO_SAMPLING
    if compiler.put_pair(ie.SAMPLING_PACKET_INTERVAL, ie.SAMPLING_PACKET_SPACE):
        kind = state.SAMPLING_SPACE
    elif compiler.put_pair(ie.SAMPLING_SIZE, ie.SAMPLING_POPULATION):
        kind = state.SAMPLING_POPULATION
    elif compiler.put_first(state.SAMPLING_FIRST, (ie.SAMPLING_INTERVAL, ie.SAMPLER_RANDOM_INTERVAL), _NUMBER_OCTETS):
        kind = state.SAMPLING_INTERVAL
    compiler.row[state.SAMPLING_KIND] = kind


def _put_times(compiler: _Compiler) -> None:
    compiler.row[state.START_KIND] = compiler.put_time(state.START, _START_TIMES)
    compiler.row[state.END_KIND] = compiler.put_time(state.END, _END_TIMES)
    compiler.put(state.INITIAL, ie.SYSTEM_INIT_TIME_MILLISECONDS, _COUNTER_OCTETS)
    for element, unit in _DURATIONS:
        if compiler.put(state.DURATION, element, _NUMBER_OCTETS):
            compiler.row[state.DURATION_UNIT] = unit
            break


def _put_reverse_counts(compiler: _Compiler, counted: tuple[int, int]) -> None:
    reversed_octets = compiler.put(state.OCTETS, counted[0], _COUNTER_OCTETS, enterprise=REVERSE_ENTERPRISE, flow=1)
    reversed_packets = compiler.put(state.PACKETS, counted[1], _COUNTER_OCTETS, enterprise=REVERSE_ENTERPRISE, flow=1)
    for role, element in zip((state.OCTETS, state.PACKETS), counted, strict=True):
        if element in _RESPONDER_COUNTS:
            compiler.put(role, _RESPONDER_COUNTS[element], _COUNTER_OCTETS, flow=1)
    compiler.row[state.HAS_REVERSE] = reversed_octets or reversed_packets or bool(compiler.roles[1].any())


def _put_reverse(compiler: _Compiler) -> None:
    """Complete the layout of the reverse flow: addresses and interfaces swapped, times of its own where told (RFC 5103 §2)."""
    if not compiler.row[state.HAS_REVERSE]:
        return
    forward, reverse = compiler.roles
    counts = reverse[[state.OCTETS, state.PACKETS]].copy()
    reverse[:] = forward
    reverse[[state.OCTETS, state.PACKETS]] = counts
    for one, other in ((state.SOURCE_4, state.DESTINATION_4), (state.SOURCE_6, state.DESTINATION_6), (state.INPUT, state.OUTPUT)):
        reverse[one], reverse[other] = forward[other], forward[one]
    for role, column, candidates in ((state.START, state.START_KIND, _START_TIMES), (state.END, state.END_KIND, _END_TIMES)):
        own = compiler.put_time(role, candidates, REVERSE_ENTERPRISE, 1)
        compiler.row[column + 1] = own or compiler.row[column]
