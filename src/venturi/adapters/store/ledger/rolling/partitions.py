"""Partitions of what grows with the labels: entries of usage by ranges of postings, bins of 5 minutes by weeks.

Owns when a partition is made, which is ahead of need, and how. What lies in none is kept in one for all others, so nothing that is posted
or folded ever waits for a partition: this is where a clock that is wrong puts bins, and where postings go when nobody makes partitions.
An embedded database has none.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from venturi.adapters.store.engines.locations import POSTGRESQL, SQLITE
from venturi.adapters.store.schema.columns import bin_number
from venturi.adapters.store.schema.ledger_tables import LEDGER_LABEL_BINS, LEDGER_POSTINGS, LEDGER_STATE, LEDGER_USAGE, RESOLUTIONS
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.bins import BIN, DAY

WEEK = 7 * DAY
"""What a partition of bins of 5 minutes spans; weeks are counted from the UTC epoch."""

MOST_ENTRIES = 50_000_000
"""About how many entries a partition of usage holds at most."""

_WEEKS_BEFORE, _WEEKS_AHEAD = 1, 2
_FEWEST_POSTINGS, _MOST_POSTINGS = 1_000, 10_000_000
_JUDGED_BY = 1_000
_WAIT_SECONDS = 1
_USAGE, _BINS = LEDGER_USAGE.name, LEDGER_LABEL_BINS.name
_FINE = f"{_BINS}_fine"
"""The partition of all bins of 5 minutes on PostgreSQL, which is in partitions itself."""
_NUMBERS = re.compile(r"-?\d+")
_POSTINGS = LEDGER_POSTINGS.c


class Partition(NamedTuple):
    """A partition by its ``name``, from the number ``start`` up to but without ``end``: of postings, or of bins of 5 minutes."""

    name: str
    start: int
    end: int


def make_partitions(connection: Connection, now: Nanoseconds) -> int:
    """Make the partitions that will be needed soon, and give how many.

    Waits for a second at most for who uses the tables, and raises the error of the database after that: whoever calls tries again later.
    """
    if connection.dialect.name == SQLITE:
        return 0
    if connection.dialect.name == POSTGRESQL:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'")
        return _make_on_postgresql(connection, now)
    connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {_WAIT_SECONDS}")
    try:
        return _make_on_mariadb(connection, now)
    finally:
        connection.exec_driver_sql("SET SESSION lock_wait_timeout = DEFAULT")


def needed_weeks(now: int) -> Iterator[int]:
    """Give the weeks that there should be partitions of at a time, in nanoseconds since the UTC epoch."""
    week = now // WEEK
    return iter(range(max(0, week - _WEEKS_BEFORE), week + _WEEKS_AHEAD + 1))


def next_width(postings: int, entries: int, span: int) -> int:
    """Give how many postings the next partition is for, as the latest ``postings`` had ``entries`` and came within ``span`` nanoseconds.

    That is a week's, or as many as have ``MOST_ENTRIES`` if these are fewer.
    """
    if not postings:
        return _FEWEST_POSTINGS
    of_a_week = postings * WEEK // max(span, 1)
    return max(_FEWEST_POSTINGS, min(of_a_week, MOST_ENTRIES * postings // max(entries, 1), _MOST_POSTINGS))


def _make_on_postgresql(connection: Connection, now: int) -> int:
    count, weeks = 0, {partition.start for partition in _partitions_on_postgresql(connection, _FINE)}
    for week in needed_weeks(now):
        start, end = bin_number(week * WEEK), bin_number((week + 1) * WEEK)
        if start not in weeks:
            partition = Partition(f"{_BINS}_{week}", start, end)
            connection.exec_driver_sql(f"CREATE TABLE {partition.name} (LIKE {_BINS})")
            connection.exec_driver_sql(
                f"WITH moved AS (DELETE FROM {_BINS}_other WHERE start_at >= {start} AND start_at < {end} RETURNING *)"  # noqa: S608 - names and numbers of our own
                f" INSERT INTO {partition.name} SELECT * FROM moved"
            )
            _attach(connection, _FINE, partition)
            count += 1
    found = _partitions_on_postgresql(connection, _USAGE)
    latest, width = _measure_postings(connection)
    last = max((partition.end for partition in found), default=1)
    if latest + width < last:
        return count
    # What was posted while nobody made partitions stays in the one for all others.
    first = last if latest < last else latest + _FEWEST_POSTINGS
    partition = Partition(f"{_USAGE}_{first}", first, first + width)
    connection.exec_driver_sql(f"CREATE TABLE {partition.name} (LIKE {_USAGE})")
    connection.exec_driver_sql(
        f"CREATE TRIGGER {_USAGE}_whole BEFORE TRUNCATE ON {partition.name} FOR EACH STATEMENT EXECUTE FUNCTION keep_{_USAGE}()"
    )
    _attach(connection, _USAGE, partition)
    return count + 1


def _attach(connection: Connection, parent: str, partition: Partition) -> None:
    """Attach a table as a partition, for which the others need not be locked; indexes and triggers come with it."""
    bounds = f"FROM ({partition.start}) TO ({partition.end})"
    connection.exec_driver_sql(f"ALTER TABLE {parent} ATTACH PARTITION {partition.name} FOR VALUES {bounds}")


def _partitions_on_postgresql(connection: Connection, table: str) -> Sequence[Partition]:
    """List the partitions of postings or weeks, without the one for all others."""
    asked = (
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"  # noqa: S608 - a name of our own
        f" WHERE inhparent = '{table}'::regclass"
    )
    found = []
    for name, bound in connection.exec_driver_sql(asked):
        numbers = [int(number) for number in _NUMBERS.findall(bound)]
        if numbers:
            found.append(Partition(name, *numbers))
    return found


def _make_on_mariadb(connection: Connection, now: int) -> int:
    """Cut off the partition for all others what will be needed soon: there, each partition begins where the one before ends."""
    weeks = list(needed_weeks(now))
    ends = _ends_on_mariadb(connection, _BINS)
    last = max(ends, default=0)
    before = [] if ends or not weeks[0] else [weeks[0] - 1]
    missing = [week for week in (*before, *weeks) if bin_number((week + 1) * WEEK) > last]
    if missing:
        if ends and bin_number(missing[0] * WEEK) > last:
            missing.insert(0, missing[0] - 1)  # one for all the time between
        parts = [f"PARTITION p{week} VALUES LESS THAN ({RESOLUTIONS[BIN]}, {bin_number((week + 1) * WEEK)})" for week in missing]
        _cut_off(connection, _BINS, [*parts, f"PARTITION other VALUES LESS THAN ({RESOLUTIONS[BIN]}, MAXVALUE)"])
    latest, width = _measure_postings(connection)
    last = max(_ends_on_mariadb(connection, _USAGE), default=1)
    if latest + width < last:
        return len(missing)
    end = max(last, latest + 1) + width
    _cut_off(connection, _USAGE, [f"PARTITION p{end - 1} VALUES LESS THAN ({end})", "PARTITION other VALUES LESS THAN MAXVALUE"])
    return len(missing) + 1


def _cut_off(connection: Connection, table: str, parts: Sequence[str]) -> None:
    connection.exec_driver_sql(f"ALTER TABLE {table} REORGANIZE PARTITION other INTO ({', '.join(parts)})")


def _ends_on_mariadb(connection: Connection, table: str) -> Sequence[int]:
    """Give where the partitions of postings or weeks end."""
    asked = (
        "SELECT partition_description FROM information_schema.partitions WHERE table_schema = DATABASE()"  # noqa: S608 - a name of our own
        f" AND table_name = '{table}' AND partition_name LIKE 'p%%'"
    )
    return [int(_NUMBERS.findall(description)[-1]) for description in connection.exec_driver_sql(asked).scalars()]


def _measure_postings(connection: Connection) -> tuple[int, int]:
    """Give the latest posting, and how many postings the next partition is for."""
    latest = int(connection.execute(select(LEDGER_STATE.c.posting)).scalar_one())
    sums = select(
        func.count(), func.coalesce(func.sum(_POSTINGS.entries), 0), func.max(_POSTINGS.posted_at) - func.min(_POSTINGS.posted_at)
    )
    count, entries, span = connection.execute(sums.where(_POSTINGS.posting > latest - _JUDGED_BY)).one()
    return latest, next_width(int(count), int(entries), int(span or 0))
