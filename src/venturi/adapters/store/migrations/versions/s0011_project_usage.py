"""What projects used, each packet once: a table of entries, the parts of totals, and which intervals tell it.

Owns these as they were when they were made. What was posted before tells nothing of it: its intervals are not ``parted``, and their parts
are 0. The roll-ups of owners were added up over labels until then, which ``unparted_`` says.
"""

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.migrations.frozen_columns import TABLE_OPTIONS, number_column, reference_column, small_column
from venturi.adapters.store.migrations.ledger_triggers import make_triggers
from venturi.adapters.store.migrations.steps import add_column, create_table, has_column, replace_unique

revision = "0011"
down_revision = "0010"
makes_triggers = True

_GENERATIONS = "ledger_generations"
_UNIQUE = "uq_ledger_generations_content"
_CONTENT = ("generation", "classifier", "revision", "segments", "parted")
_PARTS = ("several_packets", "several_octets", "shared_packets", "shared_octets")
_ALONE = ("alone_packets", "alone_octets")
_UNPARTED = ("unparted_packets", "unparted_octets")
_OWNER_BINS = "ledger_owner_bins"


def upgrade() -> None:
    """Make the table and the columns, and tell generations apart by ``parted`` too; SQLite makes their table anew for it."""
    create_table(
        "ledger_project_usage",
        number_column("posting"),
        *(reference_column(name) for name in ("ordinal", "interval_ordinal", "owner")),
        small_column("direction"),
        *(number_column(name) for name in ("packets", "octets", *_ALONE)),
        key=("posting", "ordinal"),
        options=TABLE_OPTIONS | {"sqlite_with_rowid": False},
    )
    make_triggers(("ledger_project_usage",), ())
    for table, names in (
        ("ledger_totals", _PARTS),
        ("ledger_corrections", (*_PARTS, *_ALONE)),
        ("ledger_point_bins", _PARTS),
        (_OWNER_BINS, (*_ALONE, *_UNPARTED)),
    ):
        for name in names:
            add_column(table, sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    bins = sa.table(_OWNER_BINS, *(sa.column(name) for name in ("packets", "octets", *_UNPARTED)))
    op.get_bind().execute(bins.update().values(unparted_packets=bins.c.packets, unparted_octets=bins.c.octets))
    _add_parted()


def _add_parted() -> None:
    column = sa.Column("parted", sa.Boolean, nullable=False, server_default=sa.false())
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(_GENERATIONS) as changed:
            changed.add_column(column)
            changed.drop_constraint(_UNIQUE, type_="unique")
            changed.create_unique_constraint(_UNIQUE, list(_CONTENT))
        make_triggers((), (_GENERATIONS,))
        return
    if not has_column(_GENERATIONS, "parted"):
        op.add_column(_GENERATIONS, column)
    replace_unique(_GENERATIONS, _UNIQUE, list(_CONTENT))
