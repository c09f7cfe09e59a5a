"""In which form resources are asked for, as values that a command can make without loading any renderer."""

from dataclasses import dataclass

FORMS = ("table", "json", "csv", "value", "yaml")
"""The forms in which resources are written."""


@dataclass(frozen=True, kw_only=True)
class View:
    """How resources are shown: ``form`` is one of ``FORMS``, of a report also ``parquet``.

    No ``columns`` means those that the command shows by itself.
    ``raw`` leaves the cells of CSV as they are, for programs; otherwise a spreadsheet shows them and runs none.
    A table has colours on a terminal if ``coloured``.
    """

    form: str = "table"
    columns: tuple[str, ...] = ()
    sort_columns: tuple[str, ...] = ()
    raw: bool = False
    coloured: bool = True
