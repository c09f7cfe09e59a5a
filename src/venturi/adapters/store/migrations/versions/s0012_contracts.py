"""Contracts, and a row for each of their versions.

Owns these tables as they were when they were made: later steps change them.
"""

import sqlalchemy as sa

from venturi.adapters.store.migrations.frozen_columns import (
    boolean_column,
    identifier_column,
    long_text_column,
    number_column,
    small_column,
    text_column,
)
from venturi.adapters.store.migrations.steps import create_table

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables."""
    create_table(
        "contracts",
        identifier_column(),
        text_column("name", 255),
        text_column("project_id", 255),
        text_column("direction", 16),
        text_column("zone", 64),
        text_column("period", 16),
        small_column("first_day"),
        number_column("begins_at"),
        number_column("ends_at", nullable=True),
        sa.UniqueConstraint("project_id", "name", name="uq_contracts_name"),
        key=("id",),
    )
    create_table(
        "contract_versions",
        identifier_column("contract_id"),
        number_column("number"),
        number_column("since"),
        number_column("at"),
        text_column("author", 255),
        boolean_column("foreign_members"),
        long_text_column("terms"),
        key=("contract_id", "number"),
    )
