"""The observation domains that a collector has heard of, and the sampling rates in force there.

Owns their numbers, their state and its bounds. What the walks do with it is in ``kernels``.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.lookup import KeyIndex
from venturi.core.decode.export.options import SamplingOption
from venturi.core.domain.flow_batch import Exporter, FlowTables

_FIRST_ROWS = 16
_WORD = (1 << 64) - 1
_VERSION_SHIFT = 8
_FAMILY = 0xFF
_IPV6 = 6
_LATEST_MILLISECONDS = (1 << 62) // 1_000_000
_PROTOCOLS = {5: "netflow-v5", 9: "netflow-v9", 10: "ipfix", state.SFLOW: "sflow"}


@dataclass(frozen=True)
class SequenceLoss:
    """What the sequence numbers of one observation domain tell.

    ``protocol`` is ``netflow-v5``, ``netflow-v9``, ``ipfix`` or ``sflow``; ``lost`` counts flows for v5, data records for IPFIX, datagrams
    for the others. ``messages`` were received; ``out_of_order`` of them came late; ``restarts`` of the exporter were seen.
    """

    exporter: Exporter
    domain: int
    protocol: str
    messages: int
    lost: int
    out_of_order: int
    restarts: int


class DomainStore:
    """Observation domains, numbered in the order of their appearance."""

    def __init__(self, config: ExportConfig, tables: FlowTables, numbers: KeyIndex) -> None:
        """Know of no domain yet; exporters and rates are numbered in ``tables``, and rates found again by ``numbers``."""
        self._numbers = numbers
        self._config = config
        self._tables = tables
        self._described: list[tuple[Exporter, int, str]] = []
        self._keys: list[list[int]] = []
        self._rates: set[int] = set()
        self._samplers = 0
        self.index = KeyIndex(state.KEY_WORDS)
        self.rows = np.zeros((_FIRST_ROWS, state.DOMAIN_SLOTS), dtype=np.int64)
        numbers[state.RATE_KEY, 1, 1] = tables.rate_number(Fraction(1))

    @property
    def is_full(self) -> bool:
        """Whether no further domain is kept."""
        return len(self._described) >= self._config.maximum_domains

    @property
    def has_all_rates(self) -> bool:
        """Whether no further sampling rate is kept."""
        return len(self._rates) >= self._config.maximum_sampling_rates

    def add(self, words: list[int]) -> None:
        """Give a number to the domain that the words of a key describe."""
        exporter = _exporter(words)
        number = len(self._described)
        if number == len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        override = self._config.sampling_rates.get(exporter)
        row = self.rows[number]
        row[state.EXPORTER] = self._tables.exporter_number(exporter)
        row[state.OVERRIDE_RATE] = -1 if override is None else self._tables.rate_number(override)
        row[state.DEFAULT_RATE] = self._tables.rate_number(self._config.default_sampling_rate)
        row[state.INITIAL_TIME] = row[state.EXPECTED_SEQUENCE] = -1
        self._described.append((exporter, words[-1], _PROTOCOLS[words[0] >> _VERSION_SHIFT]))
        self._keys.append(words)
        self.index[words] = number

    def key(self, domain: int) -> list[int]:
        """Give the words that describe a domain: family and version, addresses, ports, domain id."""
        return self._keys[domain]

    def set_initial_time(self, domain: int, milliseconds: int) -> None:
        """Keep when the exporter of a domain was initialised, in milliseconds since the epoch."""
        if milliseconds <= _LATEST_MILLISECONDS:
            self.rows[domain, state.INITIAL_TIME] = milliseconds

    def add_rate(self, first: int, second: int) -> None:
        """Give a number to the sampling rate ``first / second``."""
        number = self._rate_number(Fraction(first, second))
        if number is not None:
            self._numbers[state.RATE_KEY, first, second] = number

    def apply_sampling(self, domain: int, option: SamplingOption) -> bool:
        """Put a rate told by options in force in a domain; false if no more rates or samplers are kept."""
        number = self._rate_number(option.rate)
        if number is None:
            return False
        if option.sampler is None and option.interface is None:
            self.rows[domain, state.DEFAULT_RATE] = number
            return True
        kind, identity = (state.INTERFACE_KEY, option.interface) if option.sampler is None else (state.SAMPLER_KEY, option.sampler)
        key = (kind, domain, _signed(identity or 0))
        if self._numbers[key] < 0:
            if self._samplers >= self._config.maximum_samplers:
                return False
            self._samplers += 1
        self._numbers[key] = number
        self.rows[domain, state.HAS_SAMPLERS] = 1
        return True

    def sequence_report(self) -> list[SequenceLoss]:
        """Say of every domain what its sequence numbers tell."""
        columns = (state.MESSAGES, state.LOST, state.OUT_OF_ORDER, state.RESTARTS)
        return [
            SequenceLoss(*described, *(int(self.rows[row, column]) for column in columns)) for row, described in enumerate(self._described)
        ]

    def _rate_number(self, rate: Fraction) -> int | None:
        if rate.numerator > _WORD >> 1 or rate.denominator > _WORD >> 1:
            return None
        if self.has_all_rates and rate not in self._tables.sampling_rates:
            return None
        number = self._tables.rate_number(rate)
        self._rates.add(number)
        return number


def _exporter(key: list[int]) -> Exporter:
    family = key[0] & _FAMILY
    if family == 0:
        return Exporter()
    high = key[1] & _WORD if family == _IPV6 else 0
    return Exporter(family, high << 64 | key[2] & _WORD)


def _signed(word: int) -> int:
    return word - (1 << 64) if word > _WORD >> 1 else word
