"""Which report of usage is asked for, as a value that a command can make without loading any renderer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class UsageQuestion:
    """A report: ``parameters`` as the server reads them; labels and points by ids or names.

    With ``totals`` it is one of all that points counted. ``units`` are those of ``quantities.Units``. ``unfolded`` shows each
    interval, also those at both ends of which there is no record. ``top`` is how many groups of each boundary are told apart, ranked
    by ``order_by``. ``compare`` says with what it is compared, ``rates`` in which unit rates stand beside counts, with which
    percentile; ``forecast`` asks what counts will be at the end of the period. It is written to the file ``path``, or to standard
    output, and drawn into ``charts``. On a terminal it may be ``paged``.
    """

    parameters: Sequence[tuple[str, str]] = ()
    labels: Sequence[str] = ()
    points: Sequence[str] = ()
    totals: bool = False
    units: str = "si"
    unfolded: bool = False
    top: int | None = None
    order_by: str = "bytes"
    compare: str | None = None
    rates: tuple[str, str] | None = None
    forecast: bool = False
    path: str | None = None
    charts: Sequence[str] = ()
    paged: bool = True

    @property
    def group_by(self) -> list[str] | None:
        """What is told apart, None if the server decides."""
        asked = dict(self.parameters).get("group_by")
        return None if asked is None else asked.split(",")

    @property
    def used(self) -> bool:
        """Whether it is about what projects used: neither about points nor about labels, which it does not tell apart."""
        return not self.totals and not self.labels and self.group_by is not None and "label" not in self.group_by
