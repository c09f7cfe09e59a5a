"""Alarms as rows, and the agents that report.

Owns these tables as they were when they were made: later steps change them.
"""

from venturi.adapters.store.migrations.frozen_columns import boolean_column, long_text_column, number_column, text_column
from venturi.adapters.store.migrations.steps import create_index, create_table

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make both tables."""
    create_table(
        "alarms",
        text_column("id", 36),
        text_column("kind", 64),
        text_column("subject", 255),
        text_column("sentence", 1024),
        text_column("agent_id", 255),
        text_column("host", 255),
        text_column("reporter", 255),
        text_column("point_id", 36),
        text_column("project_id", 255, nullable=True),
        text_column("project_sentence", 1024),
        text_column("state", 16),
        *(number_column(name) for name in ("count", "first_seen_at", "last_seen_at")),
        *(number_column(name, nullable=True) for name in ("cleared_at", "acknowledged_at")),
        text_column("acknowledged_by", 255, nullable=True),
        key=("id",),
    )
    create_index("ix_alarms_state", "alarms", ["state", "kind"])
    create_index("ix_alarms_reporter", "alarms", ["reporter", "state"])
    create_table(
        "agents",
        text_column("agent_id", 255),
        text_column("host", 255),
        number_column("reported_at"),
        number_column("report_interval"),
        boolean_column("running"),
        long_text_column("status"),
        key=("agent_id",),
    )
