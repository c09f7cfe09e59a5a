"""Intervals that touch too many bins to be spread over them when they are posted.

Owns the table that names them. What was posted before stays in its bins: nothing is moved.
"""

from venturi.adapters.store.migrations.frozen_columns import TABLE_OPTIONS, number_column, reference_column
from venturi.adapters.store.migrations.steps import create_index, create_table

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table, empty."""
    create_table(
        "ledger_long_intervals",
        number_column("posting"),
        reference_column("ordinal"),
        reference_column("last_ordinal"),
        reference_column("point_version"),
        number_column("start_at"),
        number_column("end_at"),
        key=("posting", "ordinal"),
        options=TABLE_OPTIONS | {"sqlite_with_rowid": False},
    )
    create_index("ix_ledger_long_intervals_end_at", "ledger_long_intervals", ["end_at"])
