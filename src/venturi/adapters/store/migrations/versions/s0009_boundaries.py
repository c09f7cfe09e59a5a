"""Boundaries: which points see the same packet, of points as they are, as they were, and as they were metered.

Owns these columns as they were when they were made. What was there before is in no boundary that was named, which an absent or empty text
says, so nothing is written: readers give it that of its kind.
"""

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.migrations.frozen_columns import text_column
from venturi.adapters.store.migrations.ledger_triggers import make_triggers
from venturi.adapters.store.migrations.steps import add_column, has_column, replace_unique

revision = "0009"
down_revision = "0008"
makes_triggers = True

_LENGTH = 64
_VERSIONS = "ledger_point_versions"
_UNIQUE = "uq_ledger_point_versions_content"
_CONTENT = ("point_id", "name", "project_id", "shared", "kind", "held", "boundary")


def upgrade() -> None:
    """Make the columns, and tell versions of points apart by boundary too; SQLite makes their table anew for it."""
    for name in ("observation_points", "observation_points_history"):
        add_column(name, text_column("boundary", _LENGTH, nullable=True))
    column = sa.Column("boundary", text_column("boundary", _LENGTH).type, nullable=False, server_default="")
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(_VERSIONS) as changed:
            changed.add_column(column)
            changed.drop_constraint(_UNIQUE, type_="unique")
            changed.create_unique_constraint(_UNIQUE, list(_CONTENT))
        make_triggers((), (_VERSIONS,))
        return
    if not has_column(_VERSIONS, "boundary"):
        op.add_column(_VERSIONS, column)
    replace_unique(_VERSIONS, _UNIQUE, list(_CONTENT))
