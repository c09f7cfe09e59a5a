"""Generations: the kernel tables of one classifier at one device, from their switching on to their retirement.

Owns what tells generations apart. How tables are made is for the drivers.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from venturi.core.domain.errors import InvalidPointError
from venturi.core.domain.point import Hook, PointTraffic

_IDENTITY = re.compile(r"[0-9a-f]{32}")


class Segments(StrEnum):
    """How super-packets (GSO, GRO) are counted."""

    WIRE = "wire"
    """As the packets on the wire that they stand for, headers included."""
    MERGED = "merged"
    """As the one packet that the hook sees."""


@dataclass(frozen=True, kw_only=True)
class MeteredDevice:
    """A network device of this host at which an observation point is metered.

    ``namespace`` is a name below ``/run/netns``, None for the namespace that the agent itself is in.
    """

    point_id: str
    device: str
    namespace: str | None = None
    traffic: PointTraffic = PointTraffic.FORWARDED
    hook: Hook = Hook.NETFILTER

    @property
    def place(self) -> str:
        """The device as intervals name it: ``namespace/device``, or ``device`` in the agent's own namespace."""
        return self.device if self.namespace is None else f"{self.namespace}/{self.device}"


@dataclass(frozen=True, kw_only=True)
class Generation:
    """The identity of kernel tables: ``id`` (random) and ``spool_id`` are 128 bits in hexadecimal, ``digest`` is the classifier's."""

    id: str
    spool_id: str
    digest: str

    def __post_init__(self) -> None:
        """Refuse an id that is none with ``InvalidPointError``."""
        if not (_IDENTITY.fullmatch(self.id) and _IDENTITY.fullmatch(self.spool_id)):
            message = f"generation '{self.id}' of spool '{self.spool_id}' is not named by 32 hexadecimal digits each"
            raise InvalidPointError(message)
