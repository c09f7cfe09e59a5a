"""What is held: entries that say so, and the marks of what only held entries name.

Owns these as they were when they were made. Nothing that was posted before is held.
"""

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.migrations.frozen_columns import TABLE_OPTIONS, number_column, reference_column, text_column
from venturi.adapters.store.migrations.ledger_triggers import make_triggers
from venturi.adapters.store.migrations.steps import create_index, create_table, has_column, replace_unique

revision = "0005"
down_revision = "0004"
makes_triggers = True

_CONTENTS = {
    "ledger_point_versions": ("point_id", "name", "project_id", "shared", "kind"),
    "ledger_label_versions": ("label_id", "name", "project_id", "shared"),
}


def upgrade() -> None:
    """Make the table and its triggers, and tell versions that are held from those that are not."""
    create_table(
        "ledger_held",
        number_column("posting"),
        reference_column("ordinal"),
        number_column("held_posting"),
        reference_column("held_ordinal"),
        text_column("decision", 24),
        text_column("reason", 24),
        reference_column("entries"),
        reference_column("gap_version"),
        key=("posting", "ordinal"),
        options=TABLE_OPTIONS | {"sqlite_with_rowid": False},
    )
    create_index("ix_ledger_held_held", "ledger_held", ["held_posting", "held_ordinal"])
    for table, content in _CONTENTS.items():
        _mark(table, content)
    remade = tuple(_CONTENTS) if op.get_bind().dialect.name == "sqlite" else ()
    make_triggers(("ledger_held",), remade)


def _mark(table: str, content: tuple[str, ...]) -> None:
    """Add the mark to a table of versions, and to what makes a version another one; SQLite makes the table anew for it."""
    mark = sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false())
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(table) as changed:
            changed.add_column(mark)
            changed.drop_constraint(f"uq_{table}_content", type_="unique")
            changed.create_unique_constraint(f"uq_{table}_content", [*content, "held"])
        return
    if not has_column(table, "held"):
        op.add_column(table, mark)
    replace_unique(table, f"uq_{table}_content", [*content, "held"])
