"""Observation points: the places where packets are seen (RFC 7011 §2)."""

from dataclasses import dataclass
from enum import StrEnum


class PointKind(StrEnum):
    """What an observation point is."""

    EXPORTER = "exporter"
    CAPTURE = "capture"


@dataclass(frozen=True, kw_only=True)
class ObservationPoint:
    """A place where packets are seen; a ``shared`` one carries the traffic of many projects."""

    name: str
    kind: PointKind
    project_id: str = ""
    shared: bool = True
