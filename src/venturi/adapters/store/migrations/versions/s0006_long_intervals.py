"""Intervals that touch too many bins to be spread over them when they are posted.

Owns the table that names them. What was posted before stays in its bins: nothing is moved.
"""

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.schema.columns import TABLE_OPTIONS, number_column, reference_column

revision = "0006"
down_revision = "0003"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "ledger_long_intervals",
        number_column("posting"),
        reference_column("ordinal"),
        reference_column("last_ordinal"),
        reference_column("point_version"),
        number_column("start_at"),
        number_column("end_at"),
        sa.PrimaryKeyConstraint("posting", "ordinal", name="pk_ledger_long_intervals"),
        **TABLE_OPTIONS,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ledger_long_intervals_end_at", "ledger_long_intervals", ["end_at"])
