"""The schema of a database: which it has, and taking it to this version's."""

from typing import NamedTuple

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.maintenance.opening import open_for_reading, open_for_writing
from venturi.adapters.store.migrations.running import current_schema, head_schema, upgrade_schema


class SchemaState(NamedTuple):
    """The schema that a database has, None for none, and the one that this version needs."""

    found: str | None
    needed: str


@STORE_EDGE.function
def read_schema(url: str) -> SchemaState:
    """Tell the schema of a database and that of this version; raises ``StoreError``."""
    with open_for_reading(url) as connection:
        return SchemaState(current_schema(connection), head_schema())


@STORE_EDGE.function
def upgrade_database(url: str) -> SchemaState:
    """Give a database the schema of this version; tell what it had. Raises ``SchemaError`` if it has a newer one."""
    with open_for_writing(url) as connection:
        state = SchemaState(current_schema(connection), head_schema())
        upgrade_schema(connection)
        return state
