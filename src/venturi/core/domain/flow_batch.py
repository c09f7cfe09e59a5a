"""Flow batches: flow records and packets in columns, the form in which traffic travels from decoders to the classifier.

Owns the columns and their meaning. A packet is a flow of one packet that starts and ends at one time.
"""

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

NO_INTERFACE = -1
"""In an interface column: the record does not say."""

NO_FLOW_DIRECTION = 255
"""In ``flow_direction``: the record does not say."""


UNTIMED = -(1 << 62)
"""In ``start`` and ``end``: the input does not tell when, or tells a time that cannot be; earlier than any time."""


@dataclass(frozen=True, slots=True)
class FlowBatch:
    """Columns of equal length n, all of shape (n,); row i of each describes flow i.

    ``family`` (uint8) is 4 or 6, or 0 for a flow whose addresses are not told, which are zero then. An address is two uint64 words, high
    and low; an IPv4 address is the low word alone. ``packets`` and ``octets`` (int64, 0 to 2^56) are as observed, before sampling is
    scaled up; octets are layer-3 octets. ``start`` and ``end`` (int64, nanoseconds since the UTC epoch, start <= end) bound the flow;
    both are ``UNTIMED`` where no time is known. ``input_interface`` and ``output_interface`` (int64) are ifIndex values or
    ``NO_INTERFACE``. ``flow_direction`` (uint8) is information element 61 (0 metered at ingress, 1 at egress) or ``NO_FLOW_DIRECTION``.
    ``exporter`` and ``sampling`` (int32) index the two tables below, which only ever grow; ``sampling`` 0 is always the rate 1.
    """

    family: NDArray[np.uint8]
    source_high: NDArray[np.uint64]
    source_low: NDArray[np.uint64]
    destination_high: NDArray[np.uint64]
    destination_low: NDArray[np.uint64]
    packets: NDArray[np.int64]
    octets: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    input_interface: NDArray[np.int64]
    output_interface: NDArray[np.int64]
    flow_direction: NDArray[np.uint8]
    exporter: NDArray[np.int32]
    sampling: NDArray[np.int32]

    def __len__(self) -> int:
        """Count the flows of the batch."""
        return len(self.family)

    def take(self, selection: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Self:
        """Give the flows that ``selection`` (a mask, row numbers or a slice) chooses."""
        return type(self)(*(getattr(self, column.name)[selection] for column in fields(self)))

    @classmethod
    def empty(cls, length: int) -> Self:
        """Make a batch of ``length`` flows whose columns are zero, without interfaces, direction and sampling."""
        columns: list[Any] = [np.zeros(length, dtype=dtype) for dtype in COLUMN_TYPES]
        batch = cls(*columns)
        batch.input_interface.fill(NO_INTERFACE)
        batch.output_interface.fill(NO_INTERFACE)
        batch.flow_direction.fill(NO_FLOW_DIRECTION)
        return batch

    @classmethod
    def concatenate(cls, *batches: Self) -> Self:
        """Join batches that index the same tables."""
        return cls(*(np.concatenate([getattr(batch, column.name) for batch in batches]) for column in fields(cls)))


COLUMN_TYPES = (
    np.uint8,
    np.uint64,
    np.uint64,
    np.uint64,
    np.uint64,
    np.int64,
    np.int64,
    np.int64,
    np.int64,
    np.int64,
    np.int64,
    np.uint8,
    np.int32,
    np.int32,
)
"""The dtypes of a batch's columns, in order."""


@dataclass(frozen=True)
class Exporter:
    """Who exported a flow record: an address (family 4 or 6 and unsigned integer), or None for a bare file."""

    family: int | None = None
    address: int | None = None


class FlowTables:
    """The tables that ``exporter`` and ``sampling`` of the batches of one run index; entries are added, never changed."""

    def __init__(self) -> None:
        """Start with no exporter and the one sampling rate 1."""
        self.exporters: list[Exporter] = []
        self.sampling_rates: list[Fraction] = [Fraction(1)]
        self._exporter_numbers: dict[Exporter, int] = {}
        self._rate_numbers: dict[Fraction, int] = {Fraction(1): 0}

    def exporter_number(self, exporter: Exporter) -> int:
        """Give the number of an exporter, a new one where it is new."""
        if exporter not in self._exporter_numbers:
            self._exporter_numbers[exporter] = len(self.exporters)
            self.exporters.append(exporter)
        return self._exporter_numbers[exporter]

    def rate_number(self, rate: Fraction) -> int:
        """Give the number of a sampling rate (observed packets stand for ``rate`` times as many), a new one where it is new.

        Raises ``ValueError`` for a rate below 1, which cannot come from sampling.
        """
        if rate < 1:
            message = f"a sampling rate is at least 1, not {rate}"
            raise ValueError(message)
        if rate not in self._rate_numbers:
            self._rate_numbers[rate] = len(self.sampling_rates)
            self.sampling_rates.append(rate)
        return self._rate_numbers[rate]
