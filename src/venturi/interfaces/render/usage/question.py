"""Which report of usage is asked for, as a value that a command can make without loading any renderer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class UsageQuestion:
    """A report: ``parameters`` as the server reads them; labels and points by ids or names.

    With ``totals`` it is one of all that points counted. ``units`` are those of ``quantities.Units``. ``unfolded`` shows each
    interval, also those at both ends of which there is no record. ``top`` is how many groups of each boundary are told apart, ranked
    by ``order_by``. It is written to the file ``path``, or to standard output, and drawn into ``charts``. On a terminal it may be
    ``paged``.
    """

    parameters: Sequence[tuple[str, str]] = ()
    labels: Sequence[str] = ()
    points: Sequence[str] = ()
    totals: bool = False
    units: str = "si"
    unfolded: bool = False
    top: int | None = None
    order_by: str = "bytes"
    path: str | None = None
    charts: Sequence[str] = ()
    paged: bool = True
