"""The look of tables that a layout engine lays out: a rule below each heading, as ``resources.table`` draws it, and nothing else."""

from collections.abc import Iterable
from typing import Literal

from rich.box import SIMPLE_HEAD, Box

_Level = Literal["head", "row", "foot", "mid"]


class _RuledBox(Box):
    """Draws the rule of each column as wide as the column, without the padding at its right, which is one cell wide."""

    def get_row(self, widths: Iterable[int], level: _Level = "row", edge: bool = True) -> str:  # noqa: FBT001, FBT002 - rich calls it so
        """Give the line between two rows."""
        if level != "head":
            return super().get_row(widths, level, edge)
        return "  ".join("─" * (width - 1) for width in widths)


RULED = _RuledBox(str(SIMPLE_HEAD))
"""For tables with ``padding=(0, 1, 0, 0)`` and ``show_edge=False``."""
