"""What the ledger of a server can be told.

Owns the settings and their defaults. Loads nothing, since settings are read before anything else.
"""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from venturi.core.domain.point import HIGHEST_LINE_RATE

LineRate = Annotated[int, Meta(ge=1, le=HIGHEST_LINE_RATE)]
"""Bits a second of layer 3."""

HeldCount = Annotated[int, Meta(ge=1)]
"""A number of entries."""


@dataclass(frozen=True, kw_only=True)
class LedgerConfig:
    """What the ledger can be told: ``plan_file_hosts`` are the hosts whose agents may meter by plan files.

    A point without a line rate of its own carries ``default_line_rate`` bits a second of layer 3 in each direction. Once ``most_held``
    entries of an agent are held, no batch with more of them is taken.
    """

    plan_file_hosts: tuple[str, ...] = ()
    default_line_rate: LineRate = 1_000_000_000_000
    most_held: HeldCount = 1_000_000
