"""The watermark of the roller, and the sums of days.

Owns that table as it was when it was made. The roll-ups of a ledger from before hold all its postings; days are summed from its hours, so
many days at a time.
"""

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.migrations.frozen_columns import number_column, text_column
from venturi.adapters.store.migrations.steps import create_table, insert_missing

revision = "0010"
down_revision = "0009"

_HOURS, _DAYS = 3600, 0
_DAY = 86_400 * 10**9
_AT_ONCE = 8 * _DAY
_SUMMED = ("ledger_label_bins", "ledger_owner_bins", "ledger_point_bins")


def upgrade() -> None:
    """Make the table with its row, and fill the days."""
    create_table(
        "ledger_roller",
        *(number_column(name) for name in ("id", "rolled", "epoch")),
        text_column("holder", 255),
        number_column("until"),
        number_column("rebuilding", nullable=True),
        key=("id",),
    )
    state = sa.table("ledger_state", sa.column("posting"))
    posting = op.get_bind().execute(sa.select(state.c.posting)).scalar_one()
    insert_missing("ledger_roller", [{"id": 1, "rolled": posting, "epoch": 0, "holder": "", "until": 0, "rebuilding": None}])
    for name in _SUMMED:
        _fill_days(name)


def _fill_days(name: str) -> None:
    """Sum the hours of a table of roll-ups; days that are there, as after an interruption, are summed anew."""
    connection = op.get_bind()
    found = sa.MetaData()
    found.reflect(connection, only=[name])
    table = found.tables[name]
    hours = table.c.resolution == _HOURS
    first, last = connection.execute(sa.select(sa.func.min(table.c.start_at), sa.func.max(table.c.start_at)).where(hours)).one()
    if first is None:
        return
    keys = [column.name for column in table.primary_key if column.name not in {"resolution", "start_at"}]
    sums = [column.name for column in table.c if not column.primary_key]
    day = table.c.start_at - table.c.start_at % _DAY
    for start in range(first // _DAY * _DAY, last + 1, _AT_ONCE):
        within = sa.and_(table.c.start_at >= start, table.c.start_at < start + _AT_ONCE)
        connection.execute(sa.delete(table).where(table.c.resolution == _DAYS, within))
        key = [day, *(table.c[name] for name in keys)]
        summed = sa.select(sa.literal_column(str(_DAYS)), *key, *(sa.func.sum(table.c[name]) for name in sums))
        grouped = summed.where(hours, within).group_by(*key)
        connection.execute(sa.insert(table).from_select(["resolution", "start_at", *keys, *sums], grouped))
