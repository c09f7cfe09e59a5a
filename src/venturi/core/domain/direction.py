"""Directions of traffic at an observation point, as words and as the codes that arrays carry."""

from enum import IntEnum, StrEnum


class Direction(StrEnum):
    """Which way a packet passes an observation point.

    ``INGRESS`` enters the network through the point, ``EGRESS`` leaves it, ``UNKNOWN`` cannot be told: rules of both
    directions match it and an excluding rule of either excludes.
    """

    INGRESS = "ingress"
    EGRESS = "egress"
    UNKNOWN = "unknown"

    @property
    def code(self) -> int:
        """The number that stands for this direction in arrays (``DirectionCode``)."""
        return int(DirectionCode[self.name])


class DirectionCode(IntEnum):
    """What an array of directions (uint8) may hold: a direction, or why there is none to count in."""

    INGRESS = 0
    EGRESS = 1
    UNKNOWN = 2
    BOTH = 3
    """Enters and leaves the network at the same exporter: one of each."""
    NOT_CROSSING = 4
    """Stays inside or stays outside."""
    DUPLICATE_EXPORT = 5
    """The exporter metered the same packets at another of its interfaces too."""
    NO_ADDRESSES = 6
    """The record tells no addresses, so that no label can count it: unmatched."""

    @property
    def direction(self) -> Direction:
        """The direction of this name; raises ``KeyError`` for the codes that are none."""
        return Direction[self.name]


COUNTED_DIRECTIONS = (Direction.INGRESS, Direction.EGRESS, Direction.UNKNOWN)
"""The directions in the order of their codes."""
