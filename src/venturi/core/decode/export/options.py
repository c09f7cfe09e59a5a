"""Options records that concern the meter: sampling rates and the time at which an exporter was initialised.

Owns what options mean (RFC 3954 §6, RFC 5476 §6.5, IANA 34, 50, 160, 302, 305, 306, 309, 310). Keeps nothing.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from venturi.core.decode.export import elements as ie
from venturi.core.decode.export.elements import VARIABLE_LENGTH, Template

_LONG_LENGTH = 255
_MAXIMUM_NUMBER_OCTETS = 8
_COUNT_BASED = 1  # values of selectorAlgorithm at IANA
_RANDOM_OF_POPULATION = 3
OptionValues = Mapping[tuple[int, int], int]
"""The numbers of one options record by (enterprise, information element)."""


class SamplingOption(NamedTuple):
    """A sampling rate, and the sampler or input interface that it is told for; for neither, it holds for the observation domain."""

    rate: Fraction
    sampler: int | None
    interface: int | None


def read_options(octets: bytes, template: Template) -> Iterator[OptionValues]:
    """Read the records of a data set, its header cut off, up to padding or a record that does not fit."""
    place = 0
    shortest = sum(1 if field.length == VARIABLE_LENGTH else field.length for field in template.fields)
    while place + shortest <= len(octets):
        values, place = _read_record(octets, place, template)
        if place > len(octets):
            return
        yield values


def sampling_option(values: OptionValues) -> SamplingOption | None:
    """Say which sampling rate an options record tells; a rate below 1, and 0 above all, tells nothing."""
    rate = _sampling_rate(values)
    if rate is None or rate < 1:
        return None
    sampler = values.get((0, ie.SELECTOR_ID), values.get((0, ie.SAMPLER_ID)))
    interface = values.get((ie.V9_SCOPE_ENTERPRISE, ie.V9_SCOPE_INTERFACE), values.get((0, ie.INGRESS_INTERFACE)))
    return SamplingOption(rate, sampler, interface if sampler is None else None)


def initial_time(values: OptionValues) -> int | None:
    """Give the time in milliseconds since the epoch at which the exporter says it was initialised."""
    return values.get((0, ie.SYSTEM_INIT_TIME_MILLISECONDS))


def _sampling_rate(values: OptionValues) -> Fraction | None:
    """Give the rate of the selector algorithm that the record names, else of the first that it states in full (RFC 5477 §8.2)."""
    rates = {_COUNT_BASED: _spaced_rate(values), _RANDOM_OF_POPULATION: _population_rate(values)}
    named = rates.get(values.get((0, ie.SELECTOR_ALGORITHM), 0))
    plain = values.get((0, ie.SAMPLING_INTERVAL)) or values.get((0, ie.SAMPLER_RANDOM_INTERVAL))
    return named or rates[_COUNT_BASED] or rates[_RANDOM_OF_POPULATION] or (Fraction(plain) if plain else None)


def _spaced_rate(values: OptionValues) -> Fraction | None:
    interval, space = values.get((0, ie.SAMPLING_PACKET_INTERVAL)), values.get((0, ie.SAMPLING_PACKET_SPACE))
    return Fraction(interval + space, interval) if interval and space is not None else None


def _population_rate(values: OptionValues) -> Fraction | None:
    size, population = values.get((0, ie.SAMPLING_SIZE)), values.get((0, ie.SAMPLING_POPULATION))
    return Fraction(population, size) if size and population else None


def _read_record(octets: bytes, place: int, template: Template) -> tuple[OptionValues, int]:
    values: dict[tuple[int, int], int] = {}
    for enterprise, element, fixed_length in template.fields:
        length = fixed_length
        if length == VARIABLE_LENGTH:
            length, place = _read_length(octets, place)
        if 0 < length <= _MAXIMUM_NUMBER_OCTETS:
            values.setdefault((enterprise, element), int.from_bytes(octets[place : place + length]))
        place += length
    return values, place


def _read_length(octets: bytes, place: int) -> tuple[int, int]:
    """Read the length of a variable-length field (RFC 7011 §7); give it and where the field begins."""
    length = int.from_bytes(octets[place : place + 1])
    if length == _LONG_LENGTH:
        return int.from_bytes(octets[place + 1 : place + 3]), place + 3
    return length, place + 1
