"""What grows with the labels in the form that lets old parts of it go whole: partitions, narrow rows, and on PostgreSQL few indexes.

Owns both tables as they were when they were made, and up to when hours are closed. Rows are carried over some at a time, and how far that
is stands in a table of its own: whoever migrates may commit after each piece and go on later (``carry_some``). Seals cover what rows say,
not their form, and stay.
"""

import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.migrations.frozen_columns import number_column, text_column
from venturi.adapters.store.migrations.ledger_triggers import make_triggers
from venturi.adapters.store.migrations.steps import add_column, create_table, has_table, insert_missing, rows_at_once

revision = "0013"
down_revision = "0012"
makes_triggers = True

_USAGE, _BINS, _PROGRESS = "ledger_usage", "ledger_label_bins", "ledger_carrying"
_CARRIED, _FORMER = "_carried", "_former"
_COLUMNS = {
    _USAGE: "posting BIGINT NOT NULL, ordinal INTEGER NOT NULL, interval_ordinal INTEGER NOT NULL, label_version INTEGER NOT NULL,"
    " direction SMALLINT NOT NULL, packets BIGINT NOT NULL, octets BIGINT NOT NULL",
    _BINS: "start_at INTEGER NOT NULL, label_version INTEGER NOT NULL, point_version INTEGER NOT NULL, direction SMALLINT NOT NULL,"
    " resolution SMALLINT NOT NULL, packets BIGINT NOT NULL, octets BIGINT NOT NULL",
}
"""Columns in an order that leaves no room between them on PostgreSQL. ``start_at`` is a number of 5 minutes since the UTC epoch."""
_NAMES = {table: [column.split()[0] for column in columns.split(", ")] for table, columns in _COLUMNS.items()}
_TIME_FIRST = "resolution, start_at, label_version, point_version, direction"
_LABEL_FIRST = "label_version, start_at, point_version, direction, resolution"
_IN_ORDER = {_USAGE: "posting, ordinal", _BINS: "start_at, label_version, point_version, direction"}
_SUMMARY = "WITH (pages_per_range = 16, autosummarize = on)"
_ON_MARIADB = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin"

_RESOLUTIONS = (0, 300, 3600)
_FINE = 300
_BIN = 300 * 10**9
_WEEK = 2016
_MOST_WEEKS = 520
_MOST_ENTRIES = 50_000_000
_AHEAD = 10_000
_DAY = 288
_SUMMED = (_BINS, "ledger_owner_bins", "ledger_point_bins")
_RANK = 1 << 40
"""What is added to how far the bins are for each resolution that is done."""


def upgrade() -> None:
    """Carry over what is still to be, and put the new tables in place of the former ones."""
    _prepare()
    while carry_some():
        pass
    for table in _tables():
        _replace(table)
    _note_closed()
    op.get_bind().exec_driver_sql(f"DROP TABLE IF EXISTS {_PROGRESS}")


def carry_some() -> int:
    """Carry over the next rows, and give how many; 0 once there are none."""
    _prepare()
    for table in _tables():
        if not _is_done(table):
            count = _carry_usage() if table == _USAGE else _carry_bins()
            if count:
                return count
    return 0


def _tables() -> tuple[str, ...]:
    """Name the tables that get another form: SQLite keeps entries as they are."""
    return (_BINS,) if op.get_bind().dialect.name == "sqlite" else (_USAGE, _BINS)


def _is_done(table: str) -> bool:
    """Tell whether a table has its new form."""
    connection = op.get_bind()
    asked = {
        "sqlite": f"SELECT count(*) FROM pragma_table_info('{table}') WHERE name = 'start_at' AND type = 'INTEGER'",  # noqa: S608 - a name of our own
        "postgresql": f"SELECT count(*) FROM pg_class WHERE oid = to_regclass('{table}') AND relkind = 'p'",  # noqa: S608 - the same
    }
    partitioned = (
        "SELECT count(*) FROM information_schema.partitions WHERE table_schema = DATABASE()"  # noqa: S608 - the same
        f" AND table_name = '{table}' AND partition_name IS NOT NULL"
    )
    return bool(connection.exec_driver_sql(asked.get(connection.dialect.name, partitioned)).scalar())


def _prepare() -> None:
    """Make the new tables beside the former ones, and the one that says how far they are filled."""
    create_table(_PROGRESS, text_column("name", 64), number_column("done"), key=("name",))
    insert_missing(_PROGRESS, [{"name": table, "done": 0} for table in _tables()], key="name")
    make = {"sqlite": _make_on_sqlite, "postgresql": _make_on_postgresql}.get(op.get_bind().dialect.name, _make_on_mariadb)
    for table in _tables():
        if not _is_done(table) and not has_table(table + _CARRIED):
            make(table)


def _make_on_sqlite(table: str) -> None:
    whole = f"CONSTRAINT ck_{table}_whole CHECK (typeof(packets) = 'integer' AND typeof(octets) = 'integer')"
    key = f"CONSTRAINT pk_{table} PRIMARY KEY ({_TIME_FIRST})"
    op.get_bind().exec_driver_sql(f"CREATE TABLE {table}{_CARRIED} ({_COLUMNS[table]}, {key}, {whole}) WITHOUT ROWID")


def _make_on_postgresql(table: str) -> None:
    """Make a table with its partitions; keys and summaries are made faster once it is filled."""
    connection, made = op.get_bind(), table + _CARRIED
    if table == _USAGE:
        connection.exec_driver_sql(f"CREATE TABLE {made} ({_COLUMNS[table]}) PARTITION BY RANGE (posting)")
        bounds = _bounds_of_usage()
        parent, parts = made, [(after + 1, after + 1, last + 1) for after, last in zip([0, *bounds], bounds, strict=False)]
    else:
        parent, parts = f"{table}_fine", [(week, week * _WEEK, (week + 1) * _WEEK) for week in _weeks()]
        connection.exec_driver_sql(f"CREATE TABLE {made} ({_COLUMNS[table]}) PARTITION BY LIST (resolution)")
        connection.exec_driver_sql(f"CREATE TABLE {table}_days PARTITION OF {made} FOR VALUES IN (0)")
        connection.exec_driver_sql(f"CREATE TABLE {table}_hours PARTITION OF {made} FOR VALUES IN (3600)")
        connection.exec_driver_sql(f"CREATE TABLE {parent} PARTITION OF {made} FOR VALUES IN ({_FINE}) PARTITION BY RANGE (start_at)")
    connection.exec_driver_sql(f"CREATE TABLE {table}_other PARTITION OF {parent} DEFAULT")
    for name, start, end in parts:
        connection.exec_driver_sql(f"CREATE TABLE {table}_{name} PARTITION OF {parent} FOR VALUES FROM ({start}) TO ({end})")


def _make_on_mariadb(table: str) -> None:
    if table == _USAGE:
        parts = [(f"p{last}", f"{last + 1}") for last in _bounds_of_usage()] + [("other", "MAXVALUE")]
        key, by = "posting, ordinal", "RANGE (posting)"
        listed = ", ".join(f"PARTITION {name} VALUES LESS THAN {end if end == 'MAXVALUE' else f'({end})'}" for name, end in parts)
    else:
        weeks = _weeks()
        weeks = [weeks[0] - 1, *weeks] if weeks and weeks[0] else weeks  # what is before all of them is in one
        ends = [(f"p{week}", f"{_FINE}, {(week + 1) * _WEEK}") for week in weeks]
        ends = [("days", "1, 0"), *ends, ("other", f"{_FINE}, MAXVALUE"), ("hours", "MAXVALUE, MAXVALUE")]
        key, by = _TIME_FIRST, "RANGE COLUMNS (resolution, start_at)"
        listed = ", ".join(f"PARTITION {name} VALUES LESS THAN ({end})" for name, end in ends)
    op.get_bind().exec_driver_sql(
        f"CREATE TABLE {table}{_CARRIED} ({_COLUMNS[table]}, PRIMARY KEY ({key})) {_ON_MARIADB} PARTITION BY {by} ({listed})"
    )


def _weeks() -> list[int]:
    """Give the weeks since the UTC epoch that have sums of hours, the latest ones if a clock that was wrong made very many."""
    table = sa.table(_BINS, sa.column("resolution"), sa.column("start_at", sa.BigInteger))
    hours = sa.select(table.c.start_at).distinct().where(table.c.resolution == _RESOLUTIONS[-1])
    return sorted({int(start) // _BIN // _WEEK for start in op.get_bind().execute(hours).scalars()})[-_MOST_WEEKS:]


def _bounds_of_usage() -> list[int]:
    """Give the last posting of each partition: of so many entries in the past, and of some postings that are to come."""
    connection = op.get_bind()
    postings = sa.table("ledger_postings", sa.column("posting"), sa.column("entries"))
    bounds, count, last = [], 0, 0
    with connection.execute(sa.select(postings.c.posting, postings.c.entries).order_by(postings.c.posting)) as rows:
        for last, entries in rows:
            count += entries
            if count >= _MOST_ENTRIES:
                bounds.append(last)
                count = 0
    latest = connection.execute(sa.select(sa.table("ledger_state", sa.column("posting")).c.posting)).scalar_one()
    return [*bounds, max(last, latest) + _AHEAD]


def _carry_usage() -> int:
    """Carry over the entries of the next postings."""
    done = _read_done(_USAGE)
    usage = sa.table(_USAGE, sa.column("posting", sa.BigInteger), sa.column("ordinal"))
    later = sa.select(usage.c.posting).where(usage.c.posting > done).order_by(usage.c.posting, usage.c.ordinal)
    connection = op.get_bind()
    last = connection.execute(later.offset(rows_at_once()).limit(1)).scalar()
    if last is None:
        last = connection.execute(sa.select(sa.func.max(usage.c.posting)).where(usage.c.posting > done)).scalar()
    return 0 if last is None else _copy(_USAGE, _NAMES[_USAGE], f"posting > {done} AND posting <= {last}", last)


def _carry_bins() -> int:
    """Carry over the next bins of a resolution, in the order of time."""
    bins = sa.table(_BINS, sa.column("resolution"), sa.column("start_at", sa.BigInteger))
    connection = op.get_bind()
    divided = "DIV" if connection.dialect.name in {"mariadb", "mysql"} else "/"
    values = [f"start_at {divided} {_BIN}" if name == "start_at" else name for name in _NAMES[_BINS]]
    rank, number = divmod(_read_done(_BINS), _RANK)
    for place in range(rank, len(_RESOLUTIONS)):
        start = number * _BIN if place == rank else 0
        of_resolution = f"resolution = {_RESOLUTIONS[place]} AND start_at >= {start}"
        later = sa.select(bins.c.start_at).where(sa.text(of_resolution)).order_by(bins.c.start_at)
        end = connection.execute(later.offset(rows_at_once()).limit(1)).scalar()
        if end is not None:
            end = max(end, start + _BIN)
            return _copy(_BINS, values, f"{of_resolution} AND start_at < {end}", place * _RANK + end // _BIN) or _carry_bins()
        if connection.execute(later.limit(1)).scalar() is not None:
            return _copy(_BINS, values, of_resolution, (place + 1) * _RANK)
    return 0


def _note_closed() -> None:
    """Note up to when there are hours and days, which is a border of days; leave out those that a clock that was wrong put behind today."""
    add_column("ledger_roller", sa.Column("closed_until", sa.BigInteger, nullable=False, server_default="0"))
    connection = op.get_bind()
    roller = sa.table("ledger_roller", sa.column("closed_until", sa.BigInteger))
    tables = [sa.table(name, sa.column("resolution"), sa.column("start_at", sa.BigInteger)) for name in _SUMMED]
    latest = 0
    for table in tables:
        last = connection.execute(sa.select(sa.func.max(table.c.start_at)).where(table.c.resolution == _RESOLUTIONS[-1])).scalar()
        latest = max(latest, 0 if last is None else int(last) // _unit(table.name) + 1)
    closed = min(-(-latest // _DAY), int(time.time()) // 86_400 + 1) * _DAY
    for table in tables:
        later = table.c.resolution != _FINE, table.c.start_at >= closed * _unit(table.name)
        connection.execute(sa.delete(table).where(*later))
    connection.execute(sa.update(roller).values(closed_until=closed * _BIN))


def _unit(table: str) -> int:
    """Give how many of the units in which a table tells times are in 5 minutes."""
    return 1 if table == _BINS else _BIN


def _read_done(table: str) -> int:
    progress = sa.table(_PROGRESS, sa.column("name"), sa.column("done", sa.BigInteger))
    return int(op.get_bind().execute(sa.select(progress.c.done).where(progress.c.name == table)).scalar_one())


def _copy(table: str, values: list[str], which: str, done: int) -> int:
    """Copy rows and note it, both in one transaction; give how many they were."""
    connection = op.get_bind()
    copied = connection.exec_driver_sql(
        f"INSERT INTO {table}{_CARRIED} ({', '.join(_NAMES[table])})"  # noqa: S608 - names of our own
        f" SELECT {', '.join(values)} FROM {table} WHERE {which} ORDER BY {_IN_ORDER[table]}"
    )
    if connection.dialect.name == "sqlite":  # rows that come later take the room, and the file does not grow
        connection.exec_driver_sql(f"DELETE FROM {table} WHERE {which}")  # noqa: S608 - the same
    progress: Any = sa.table(_PROGRESS, sa.column("name"), sa.column("done"))
    connection.execute(sa.update(progress).where(progress.c.name == table).values(done=done))
    return copied.rowcount


def _replace(table: str) -> None:
    """Put the new table in place of the former one."""
    connection, made, former = op.get_bind(), table + _CARRIED, table + _FORMER
    if connection.dialect.name in {"mariadb", "mysql"}:
        if has_table(made):
            connection.exec_driver_sql(f"RENAME TABLE {table} TO {former}, {made} TO {table}")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {former}")
    elif has_table(made):
        connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql(f"ALTER TABLE {made} RENAME TO {table}")
    if table == _USAGE:
        make_triggers((_USAGE,), ())
    if connection.dialect.name == "postgresql":
        for statement in list(_finishing(table)):
            connection.exec_driver_sql(statement)


def _finishing(table: str) -> Iterator[str]:
    """Give what PostgreSQL is to do with a table that is filled; others keep rows in the order of their key."""
    if table == _USAGE:
        partitions = f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass ORDER BY inhrelid"  # noqa: S608 - a name of our own
        for name in op.get_bind().exec_driver_sql(partitions).scalars().all():
            yield f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION keep_{table}()"
    summarized = "posting" if table == _USAGE else "start_at"
    if table == _BINS:
        yield f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({_LABEL_FIRST})"
    yield f"CREATE INDEX ix_{table}_{summarized} ON {table} USING brin ({summarized}) {_SUMMARY}"
    yield f"ANALYZE {table}"
