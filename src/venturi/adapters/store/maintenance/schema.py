"""The schema of a database: which it has, and taking it to this version's."""

from collections.abc import Callable
from typing import NamedTuple

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.engines.versions import require_supported_server
from venturi.adapters.store.maintenance.opening import open_for_reading, require_alone, writing_by_pieces
from venturi.adapters.store.migrations.running import Carrying, current_schema, estimate_carrying, head_schema, upgrade_by_pieces
from venturi.core.domain.progress import UNHEARD, Progress


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
def upgrade_database(url: str, progress: Progress = UNHEARD, tell: Callable[[Carrying], None] = lambda _: None) -> SchemaState:
    """Give a database the schema of this version, in pieces; tell what it had.

    ``tell`` hears beforehand what is carried over, if anything is. Raises ``StoreInUseError`` if servers use the database then, and
    ``SchemaError`` if it has a newer schema.
    """
    progress.begin("upgrading", None)
    with writing_by_pieces(url) as begin:
        with begin() as connection:
            require_supported_server(connection)
            state = SchemaState(current_schema(connection), head_schema())
            carrying = estimate_carrying(connection)
            if carrying.rows:
                require_alone(connection)
                tell(carrying)
        upgrade_by_pieces(begin, progress)
        return state
