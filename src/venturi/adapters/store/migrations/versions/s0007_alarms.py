"""Alarms as rows, and the agents that report.

Owns these tables as they were when they were made, with types of its own: later steps change them.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0004"

_OPTIONS: dict[str, Any] = {"mariadb_engine": "InnoDB", "mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin"}


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "alarms",
        _text("id", 36),
        _text("kind", 64),
        _text("subject", 255),
        _text("sentence", 1024),
        _text("agent_id", 255),
        _text("host", 255),
        _text("reporter", 255),
        _text("point_id", 36),
        _text("project_id", 255, nullable=True),
        _text("project_sentence", 1024),
        _text("state", 16),
        *(_number(name) for name in ("count", "first_seen_at", "last_seen_at")),
        *(_number(name, nullable=True) for name in ("cleared_at", "acknowledged_at")),
        _text("acknowledged_by", 255, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
        **_OPTIONS,
    )
    op.create_index("ix_alarms_state", "alarms", ["state", "kind"])
    op.create_index("ix_alarms_reporter", "alarms", ["reporter", "state"])
    op.create_table(
        "agents",
        _text("agent_id", 255),
        _text("host", 255),
        _number("reported_at"),
        _number("report_interval"),
        sa.Column("running", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("agent_id", name="pk_agents"),
        **_OPTIONS,
    )


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql"), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)
