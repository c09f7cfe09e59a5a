"""Sessions of the dashboard.

Owns the table as it was when it was made: later steps change it.
"""

from venturi.adapters.store.migrations.frozen_columns import number_column, text_column
from venturi.adapters.store.migrations.steps import create_index, create_table

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table of sessions."""
    create_table(
        "sessions",
        text_column("key_digest", 128),
        text_column("token_id", 36, nullable=True),
        text_column("user_id", 255),
        text_column("project_id", 255),
        text_column("roles", 255),
        number_column("created_at"),
        number_column("expires_at"),
        key=("key_digest",),
    )
    create_index("ix_sessions_expires_at", "sessions", ("expires_at",))
