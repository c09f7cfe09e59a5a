"""What a spool is told: where it lies, whose it is, and how large it may become."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SpoolConfig:
    """The file of a spool, the agent that it belongs to, and its bounds.

    ``limit`` is in octets; above it, what waits is coalesced. ``reserve`` octets are set aside on the disk, so that there is room to
    coalesce in when the disk is full. ``batch_rows`` bounds the intervals, totals and usage rows of one batch together, but for its first
    interval.
    """

    path: Path
    agent_id: str
    limit: int = 2 << 30
    reserve: int = 8 << 20
    batch_rows: int = 50_000
