"""What output is asked for, as values that a command can make without loading any renderer."""

from dataclasses import dataclass

OUTPUT_FORMATS = ("table", "json", "csv", "value", "parquet")
"""The forms in which usage is written."""

UNITS = ("si", "iec", "octets")
"""The units of octets in a table."""


@dataclass(frozen=True, kw_only=True)
class OutputRequest:
    """How a report is written: ``form`` is one of ``OUTPUT_FORMATS``, ``path`` None for standard output, ``charts`` are file names.

    ``raw`` leaves the cells of CSV as they are, for programs; otherwise a spreadsheet shows them and runs none.
    """

    form: str = "table"
    path: str | None = None
    charts: tuple[str, ...] = ()
    top: int | None = None
    units: str = "si"
    quiet: bool = False
    raw: bool = False
