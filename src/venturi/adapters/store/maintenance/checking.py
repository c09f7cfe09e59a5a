"""Checking a database: its schema, its own integrity, and what the store holds to be true of its rows.

Owns what is checked. Nothing is repaired here.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, literal_column, or_, select

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.engines.locations import SQLITE
from venturi.adapters.store.maintenance.opening import open_for_reading
from venturi.adapters.store.migrations.running import require_head
from venturi.adapters.store.schema.tables import (
    LABELS,
    LABELS_HISTORY,
    OBSERVATION_POINTS,
    OBSERVATION_POINTS_HISTORY,
    REVISIONS,
    RULE_ATTRIBUTES,
    RULES,
    RULES_HISTORY,
)
from venturi.adapters.store.tables.revisions import read_latest
from venturi.adapters.store.tables.rows import read_rules, write_rule

_VERSIONED = ((LABELS, LABELS_HISTORY), (RULES, RULES_HISTORY), (OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY))
_AT_ONCE = 1000


@STORE_EDGE.function
def check_database(url: str) -> list[str]:
    """Tell what is wrong with a database, a sentence each; raises ``SchemaError`` for another schema than this version's."""
    with open_for_reading(url) as connection:
        require_head(connection)
        return list(_find_problems(connection))


def _find_problems(connection: Connection) -> Iterator[str]:
    yield from _check_file(connection)
    latest = read_latest(connection)
    yield from _check_revisions(connection, latest)
    for live, history in _VERSIONED:
        yield from _check_history(connection, live, history, latest)
    yield from _check_references(connection)
    yield from _check_overlaps(connection)
    yield from _check_ranges(connection)


def _check_file(connection: Connection) -> Iterator[str]:
    """Have SQLite check its file; the servers check theirs themselves."""
    if connection.dialect.name == SQLITE:
        for (said,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if said != "ok":
                yield f"the file is damaged: {said}"


def _check_revisions(connection: Connection, latest: int) -> Iterator[str]:
    count, highest = connection.execute(select(func.count(), func.coalesce(func.max(REVISIONS.c.number), 0)).select_from(REVISIONS)).one()
    if not count == highest == latest:
        yield f"the revisions have gaps: the latest is {latest}, and there are {count}, up to {highest}"


def _check_history(connection: Connection, live: Table, history: Table, latest: int) -> Iterator[str]:
    """Find states that are to come, that ended before they began, or that held at the same time."""
    yield from _tell(connection, live, live.c.valid_from > latest, "begins after the latest revision")
    ended = or_(history.c.valid_to > latest, history.c.valid_from >= history.c.valid_to)
    yield from _tell(connection, history, ended, "did not end as it says")
    again = live.c.id.in_(select(history.c.id).where(history.c.id == live.c.id, history.c.valid_to > live.c.valid_from))
    yield from _tell(connection, live, again, "has a history after it began")
    before = func.lag(history.c.valid_to).over(partition_by=history.c.id, order_by=history.c.valid_from)
    ordered = select(history.c.id, history.c.valid_from, before.label("before")).subquery()
    for identifier in connection.execute(select(ordered.c.id).where(ordered.c.before > ordered.c.valid_from)).scalars():
        yield f"{history.name}: {identifier} has two states at the same time"


def _tell(connection: Connection, table: Table, condition: ColumnElement[bool], what: str) -> Iterator[str]:
    for identifier in connection.execute(select(table.c.id).where(condition)).scalars():
        yield f"{table.name}: {identifier} {what}"


def _check_references(connection: Connection) -> Iterator[str]:
    orphaned = RULES.c.metering_label_id.not_in(select(LABELS.c.id))
    yield from _tell(connection, RULES, orphaned, "belongs to a label that does not exist")


def _check_overlaps(connection: Connection) -> Iterator[str]:
    """Find remote prefixes that overlap: those of a scope nest or are disjoint, so neighbours tell."""
    scope = (RULES.c.metering_label_id, RULES.c.direction, RULES.c.excluded)
    before = func.lag(RULES.c.remote_last).over(partition_by=scope, order_by=(RULES.c.remote_first, RULES.c.remote_last.desc()))
    ordered = select(RULES.c.id, RULES.c.remote_first, before.label("before")).where(RULES.c.remote_first.is_not(None)).subquery()
    for identifier in connection.execute(select(ordered.c.id).where(ordered.c.before >= ordered.c.remote_first)).scalars():
        yield f"rules: the remote_ip_prefix of {identifier} overlaps another"


def _check_ranges(connection: Connection) -> Iterator[str]:
    """Find rules whose columns do not say what their prefixes say."""
    columns = [*(RULES.c[name] for name in RULE_ATTRIBUTES), RULES.c.remote_first, RULES.c.remote_last]
    statement = select(*columns).order_by(literal_column("1")).execution_options(yield_per=_AT_ONCE)
    for rows in connection.execute(statement).partitions():
        for rule, row in zip(read_rules(row[:-2] for row in rows), rows, strict=True):
            if _columns_of(rule) != tuple(row):
                yield f"rules: the columns of {rule.id} contradict each other"


def _columns_of(rule: Any) -> tuple[object, ...]:  # noqa: ANN401 - a rule as given
    written = write_rule(rule)
    return tuple(written[name] for name in (*RULE_ATTRIBUTES, "remote_first", "remote_last"))
