"""What was done to tokens, a row for each change.

Owns this table as it was when it was made: later steps change it.
"""

from venturi.adapters.store.migrations.frozen_columns import number_column, text_column
from venturi.adapters.store.migrations.steps import create_index, create_table

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    create_table(
        "token_changes",
        number_column("number"),
        number_column("at"),
        text_column("change", 16),
        text_column("token_id", 36),
        text_column("name", 255),
        text_column("project_id", 255),
        text_column("role", 16),
        text_column("agent_id", 255, nullable=True),
        text_column("host", 255, nullable=True),
        text_column("author", 255),
        text_column("author_project_id", 255),
        text_column("author_token_id", 36, nullable=True),
        key=("number",),
    )
    create_index("ix_token_changes_token", "token_changes", ["token_id", "number"])
