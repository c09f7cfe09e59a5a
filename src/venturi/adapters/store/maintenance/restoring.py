"""Restoring a backup, of whichever database, into a database of any of the three.

Owns that nothing is lost by it unasked: a database that holds something is refused. The tables get the schema of the backup
first, and this version's once the rows are in.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from pysqlite3 import dbapi2
from sqlalchemy import Connection, MetaData, create_engine, delete, insert, inspect, select, update
from sqlalchemy.pool import NullPool

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.engines.failures import database_errors
from venturi.adapters.store.maintenance.backup import read_tables
from venturi.adapters.store.maintenance.dump_format import MAGIC, DumpReader, TableRows, tell_rows
from venturi.adapters.store.maintenance.opening import open_for_writing, require_alone
from venturi.adapters.store.migrations.running import current_schema, known_schemas, require_rights, upgrade_schema
from venturi.adapters.store.schema.all_tables import COUNTERS, METADATA, SESSIONS
from venturi.adapters.store.schema.tables import TOKENS
from venturi.adapters.store.tables.token_changes import LOCAL, note_token_changes
from venturi.adapters.store.tables.tokens import TOKEN_COLUMNS, read_token
from venturi.core.domain.control.token import Token, TokenEvent
from venturi.core.domain.errors import SchemaError, StoreError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.progress import UNHEARD, Progress

_SQLITE_MAGIC = b"SQLite format 3\0"
_SCHEMA_TABLE = "alembic_version"
_COUNTERS = frozenset(table.name for table in COUNTERS)


class _Backup(NamedTuple):
    schema: str
    rows: Iterable[TableRows]


@dataclass(frozen=True, kw_only=True)
class ValidToken:
    """A token that opens something after a restore: ``revoked_at`` is when the replaced database had it revoked, None if it had not."""

    id: str
    name: str
    revoked_at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore came to: how many ``rows``, and the ``valid`` tokens; ``revoked`` is how many it revoked."""

    rows: int
    valid: Sequence[ValidToken]
    revoked: int = 0


@STORE_EDGE.function
def restore(url: str, path: Path, *, replace: bool, revoke_tokens_at: int | None = None, progress: Progress = UNHEARD) -> Restored:
    """Restore a backup, with ``revoke_tokens_at`` (nanoseconds since the UTC epoch) with none of its tokens valid any more.

    What that does to tokens is noted (``token_changes``). Raises ``StoreError`` if the file is no backup, other programs use the database
    or, unless ``replace``, it holds something; ``SchemaError`` if the backup is of a newer version.
    """
    with _open_backup(path) as backup:
        if backup.schema not in known_schemas():
            message = f"{path} has the schema {backup.schema}, which this venturi does not know: it was made by a newer one"
            raise SchemaError(message)
        with open_for_writing(url) as connection:
            require_rights(connection)
            require_alone(connection)
            progress.begin("preparing the database", None)
            revoked = _revoked_tokens(connection)
            _make_room(connection, replace=replace)
            upgrade_schema(connection, backup.schema)
            count = insert_backup(connection, tell_rows(backup.rows, progress, "restoring"))
            progress.begin("upgrading", None)
            upgrade_schema(connection)
            connection.execute(delete(SESSIONS))
            valid = _valid_tokens(connection)
            again = [token for token in valid if token.id in revoked]
            if revoke_tokens_at is not None:
                connection.execute(update(TOKENS).where(TOKENS.c.revoked_at.is_(None)).values(revoked_at=revoke_tokens_at))
                note_token_changes(connection, TokenEvent.REVOKED, valid, LOCAL, Nanoseconds(revoke_tokens_at))
                return Restored(rows=count, valid=[], revoked=len(valid))
            note_token_changes(connection, TokenEvent.RESTORED, again, LOCAL, Nanoseconds(time.time_ns()))
    return Restored(rows=count, valid=[ValidToken(id=token.id, name=token.name, revoked_at=revoked.get(token.id)) for token in valid])


def _revoked_tokens(connection: Connection) -> Mapping[str, int]:
    """Give when each token was revoked that the database, of any schema, has as revoked."""
    if TOKENS.name not in inspect(connection).get_table_names():
        return {}
    rows = connection.execute(select(TOKENS.c.id, TOKENS.c.revoked_at).where(TOKENS.c.revoked_at.is_not(None)))
    return {row.id: row.revoked_at for row in rows}


def _valid_tokens(connection: Connection) -> list[Token]:
    rows = connection.execute(select(*TOKEN_COLUMNS).where(TOKENS.c.revoked_at.is_(None)).order_by(TOKENS.c.name, TOKENS.c.id))
    return [read_token(row) for row in rows]


@contextmanager
def _open_backup(path: Path) -> Iterator[_Backup]:
    try:
        with path.open("rb") as stream:
            beginning = stream.read(len(_SQLITE_MAGIC))
            stream.seek(0)
            if beginning.startswith(MAGIC):
                dump = DumpReader(stream, str(path))
                yield _Backup(dump.schema, dump.rows())
                return
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise StoreError(message) from error
    if beginning != _SQLITE_MAGIC:
        message = f"{path} is no backup of a venturi database"
        raise StoreError(message)
    with _open_file(path) as backup:
        yield backup


@contextmanager
def _open_file(path: Path) -> Iterator[_Backup]:
    """Open a backup that is an embedded database, without touching it."""
    location = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", module=dbapi2, poolclass=NullPool, creator=lambda: dbapi2.connect(location, uri=True))
    with database_errors(), engine.connect() as connection:
        schema = current_schema(connection)
        if schema is None:
            message = f"{path} is an SQLite database, but not one of venturi's"
            raise StoreError(message)
        yield _Backup(schema, read_tables(connection))


def _make_room(connection: Connection, *, replace: bool) -> None:
    """Remove the tables, all empty unless ``replace``."""
    found = MetaData()
    ours = {*METADATA.tables, _SCHEMA_TABLE} & set(inspect(connection).get_table_names())
    found.reflect(connection, only=sorted(ours)) if ours else None
    kept = [table for table in found.tables.values() if table.name not in {_SCHEMA_TABLE, *_COUNTERS}]
    if not replace and any(connection.execute(select(1).select_from(table).limit(1)).first() for table in kept):
        message = "the database is not empty; restore into another one, or have what it holds replaced with --replace"
        raise StoreError(message)
    found.drop_all(connection)


def insert_backup(connection: Connection, rows: Iterable[TableRows]) -> int:
    """Insert the rows of a backup into tables of its schema, and give how many there were."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in METADATA.tables)
    for counter in _COUNTERS & set(found.tables):
        connection.execute(delete(found.tables[counter]))
    count = 0
    for some in rows:
        if some.table not in found.tables:
            message = f"the backup holds a table {some.table}, which its schema does not have"
            raise StoreError(message)
        connection.execute(insert(found.tables[some.table]), [dict(zip(some.columns, row, strict=True)) for row in some.rows])
        count += len(some.rows)
    return count
