"""The hook at which the packets of interfaces and routers are seen.

Owns the column that says so: points made before it are metered at the netfilter hooks, as they were; exporters have none.
"""

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.migrations.frozen_columns import text_column
from venturi.adapters.store.migrations.steps import add_column

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column to points and to their history."""
    for name in ("observation_points", "observation_points_history"):
        add_column(name, text_column("hook", 16, nullable=True))
        points = sa.table(name, sa.column("kind"), sa.column("hook"))
        op.execute(points.update().where(points.c.kind.in_(["interface", "router"]), points.c.hook.is_(None)).values(hook="netfilter"))
