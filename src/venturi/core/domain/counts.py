"""Counts of packets and octets, exact at any size."""

from typing import NamedTuple


class Counts(NamedTuple):
    """Packets on the wire and layer-3 octets: IP header and payload."""

    packets: int = 0
    octets: int = 0

    def __add__(self, other: "Counts") -> "Counts":  # type: ignore[override] # counts are summed, not joined
        """Sum both counts."""
        return Counts(self.packets + other.packets, self.octets + other.octets)
