"""Folding postings into roll-ups: summed once into bins of 5 minutes beside them, of which hours, days and owners are made.

Owns the statements. Sums of 5 minutes are gathered in temporary tables first, so that each row of a roll-up is written once for all
postings that are folded together. Hours and days that are not closed yet are left to ``closing``. Which postings are folded, and that none
is twice, is for ``watermark``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    Integer,
    MetaData,
    Select,
    SmallInteger,
    Subquery,
    Table,
    func,
    insert,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeEngine

from venturi.adapters.store.engines.locations import MARIADB, POSTGRESQL, SQLITE
from venturi.adapters.store.ledger.bulk import insert_rows
from venturi.adapters.store.ledger.rolling.entries import (
    COVERAGE_COUNTS,
    COVERAGE_KEYS,
    POINT_COUNTS,
    PROJECT_COUNTS,
    USAGE_COUNTS,
    Postings,
    Wanted,
    coverage_in_bins,
    read_held_time,
    read_spread,
    read_spread_coverage,
    sum_corrections,
    sums_in_bins,
)
from venturi.adapters.store.schema.columns import BinStart
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_LABEL_BINS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_OWNER_BINS,
    LEDGER_OWNERS,
    LEDGER_POINT_BINS,
    LEDGER_PROJECT_USAGE,
    LEDGER_ROLLER,
    LEDGER_TOTALS,
    LEDGER_USAGE,
    RESOLUTIONS,
)
from venturi.core.domain.errors import SumTooLargeError
from venturi.core.ledger.batch import HIGHEST
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.core.ledger.long_intervals import LongRecord, spread_coverage, spread_records
from venturi.core.ledger.roll_ups import OwnerCounts

EVER = (0, 1 << 62)
"""A window that leaves out nothing."""

MOST_CORRECTED = 1 << 54
"""What 5 minutes may count that are corrected before their day is closed: 288 times as much fits in 63 bits."""

_SPREAD_AT_ONCE = 20_000
_GATHERED = MetaData()
_LABEL_KEYS = ("start_at", "label_version", "point_version", "direction")
_PARTED_KEYS = (*_LABEL_KEYS, "parted")
_OWNER_KEYS = ("start_at", "owner", "point_version", "direction")
_POINT_KEYS = ("start_at", "point_version", "direction")
Sums = dict[tuple[int | str, ...], list[int]]
_Addition = Callable[[Table, Sequence[str], Select[Any], Sequence[str]], Executable]


def _gathered(name: str, like: Table, keys: Sequence[str], counts: Sequence[str]) -> Table:
    """Make a temporary table of columns of a roll-up, without a key: rows of one key are summed when they are taken.

    A key that the roll-up lacks is 0 or 1. Times are in nanoseconds.
    """
    columns = [Column(key, _gathered_type(like, key), nullable=False) for key in (*keys, *counts)]
    options: Any = {"postgresql_on_commit": "DELETE ROWS", "mariadb_engine": "InnoDB", "mariadb_charset": "utf8mb4"}
    return Table(name, _GATHERED, *columns, prefixes=["TEMPORARY"], **options)


def _gathered_type(like: Table, name: str) -> TypeEngine[Any]:
    if name not in like.c:
        return SmallInteger()
    kept = like.c[name].type
    return BigInteger() if isinstance(kept, BinStart) else kept


GATHERED_LABELS = _gathered("gathered_labels", LEDGER_LABEL_BINS, _PARTED_KEYS, USAGE_COUNTS)
GATHERED_PROJECTS = _gathered("gathered_projects", LEDGER_OWNER_BINS, _OWNER_KEYS, PROJECT_COUNTS)
GATHERED_POINTS = _gathered("gathered_points", LEDGER_POINT_BINS, _POINT_KEYS, POINT_COUNTS)
GATHERED_COVERAGE = _gathered("gathered_coverage", LEDGER_COVERAGE_BINS, ("resolution", *COVERAGE_KEYS), COVERAGE_COUNTS)
GATHERED = (
    (LEDGER_USAGE, GATHERED_LABELS, _PARTED_KEYS),
    (LEDGER_PROJECT_USAGE, GATHERED_PROJECTS, _OWNER_KEYS),
    (LEDGER_TOTALS, GATHERED_POINTS, _POINT_KEYS),
)
"""Tables of entries, in which of the temporary tables they are summed, and by what, the time first."""


def fold(connection: Connection, postings: Postings) -> None:
    """Add to the roll-ups what the entries of postings add; raises ``DBAPIError`` or ``SumTooLargeError`` where a sum is too large."""
    prepare(connection)
    corrected = gather(connection, postings)
    spread(connection)
    if corrected:
        _require_room(connection, corrected)


def prepare(connection: Connection) -> None:
    """Have the temporary tables there, empty, and large sums made in the way that suits them."""
    if connection.dialect.name == POSTGRESQL:
        # The newest rows are in no statistics yet: taken for few, they would be sought one by one.
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
        connection.exec_driver_sql("SET LOCAL work_mem = '128MB'")
    for table in _GATHERED.sorted_tables:
        if connection.dialect.name in {POSTGRESQL, SQLITE}:
            table.create(connection, checkfirst=False) if not _has(connection, table) else connection.execute(table.delete())
        else:
            connection.exec_driver_sql(f"DROP TEMPORARY TABLE IF EXISTS {table.name}")
            table.create(connection, checkfirst=False)


def gather(connection: Connection, postings: Postings) -> set[int]:
    """Sum what entries of postings add to bins of 5 minutes, and to the coverage of hours; give the starts of bins that are corrected."""
    starts = set[int]()
    for table, target, keys in GATHERED:
        _insert_sums(connection, target, sums_in_bins(table, BIN), keys, postings)
        wanted = Wanted(keys[1:])
        for sums in _spread_some(read_spread(connection, table, postings, BIN, wanted)):
            _insert(connection, target, sums)
        corrected = sum_corrections(connection, table, postings, EVER, BIN, wanted)
        _insert(connection, target, corrected)
        starts.update(int(key[0]) for key in corrected)
    for width in (BIN, HOUR):
        _insert_sums(connection, GATHERED_COVERAGE, coverage_in_bins(width), COVERAGE_KEYS, postings, width)
        told = read_spread_coverage(connection, postings, width)
        rows = [(RESOLUTIONS[width], *row) for row in spread_coverage(told, EVER, width)]
        for sign, held in read_held_time(connection, postings):
            spread_time = spread_coverage([held], EVER, width)
            rows += [(RESOLUTIONS[width], *row[:-2], *(sign * int(counted) for counted in row[-2:])) for row in spread_time]
        insert_rows(connection, GATHERED_COVERAGE, rows)
    return starts


def _require_room(connection: Connection, corrected: set[int]) -> None:
    """Raise ``SumTooLargeError`` if a correction made so much of 5 minutes that their day might not hold its sum when it is closed."""
    closed = int(connection.execute(select(LEDGER_ROLLER.c.closed_until)).scalar_one())
    first, last = max(min(corrected), closed // DAY * DAY), max(corrected)
    for table in (LEDGER_LABEL_BINS, LEDGER_OWNER_BINS, LEDGER_POINT_BINS):
        columns = table.c
        within = columns.resolution == RESOLUTIONS[BIN], columns.start_at >= first, columns.start_at <= last
        large = or_(*(func.abs(column) > MOST_CORRECTED for column in columns if not column.primary_key))
        if connection.execute(select(columns.start_at).where(*within, large).limit(1)).first() is not None:
            message = "a correction makes 5 minutes count more than their day may hold"
            raise SumTooLargeError(message)


def spread(connection: Connection) -> None:
    """Add what was gathered to the roll-ups: to bins of 5 minutes, and to the hours and days that are closed."""
    of_owners = _gathered_by_owners()
    closed = int(connection.execute(select(LEDGER_ROLLER.c.closed_until)).scalar_one())
    for width, until in ((BIN, None), (HOUR, closed), (DAY, closed // DAY * DAY)):
        _add_sums(connection, LEDGER_LABEL_BINS, GATHERED_LABELS, _LABEL_KEYS, width, until)
        _add_sums(connection, LEDGER_OWNER_BINS, of_owners, _OWNER_KEYS, width, until)
        _add_sums(connection, LEDGER_POINT_BINS, GATHERED_POINTS, _POINT_KEYS, width, until)
    _add_sums(connection, LEDGER_COVERAGE_BINS, GATHERED_COVERAGE, ("resolution", *COVERAGE_KEYS))


@cache
def _gathered_by_owners() -> Subquery:
    """Give what projects used, and what labels counted that are shared or of intervals that do not tell what projects used."""
    labels, owners, projects = LEDGER_LABEL_VERSIONS.c, LEDGER_OWNERS.c, GATHERED_PROJECTS.c
    gathered, none = GATHERED_LABELS.c, literal_column("0", Integer())
    owned = GATHERED_LABELS.join(LEDGER_LABEL_VERSIONS, labels.id == gathered.label_version)
    owned = owned.join(LEDGER_OWNERS, (owners.project_id == labels.project_id) & (owners.shared == labels.shared))
    counts = gathered.packets, gathered.octets
    place = gathered.start_at, owners.id.label("owner"), gathered.point_version, gathered.direction
    added_up = select(*place, *counts, none, none, *counts).select_from(owned).where(or_(gathered.parted == 0, owners.shared))
    told = select(*(projects[key] for key in _OWNER_KEYS), *(projects.get(name, none).label(name) for name in OwnerCounts._fields))
    return union_all(told, added_up).subquery("by_owners")


def _has(connection: Connection, table: Table) -> bool:
    asked = {
        POSTGRESQL: f"SELECT to_regclass('pg_temp.{table.name}')",
        SQLITE: f"SELECT max(name) FROM sqlite_temp_master WHERE name = '{table.name}'",  # noqa: S608 - a name of our own
    }
    return connection.exec_driver_sql(asked[connection.dialect.name]).scalar() is not None


def _insert_sums(
    connection: Connection, target: Table, source: FromClause, keys: Sequence[str], postings: Postings, width: int | None = None
) -> None:
    names = [column.name for column in target.c if column.name not in {"resolution", *keys}]
    grouped = [source.c[key] for key in keys]
    resolution: list[Any] = [] if width is None else [_resolution(width)]
    summed: Select[Any] = select(*resolution, *grouped, *(func.sum(source.c[name]).label(name) for name in names)).group_by(*grouped)
    connection.execute(
        insert(target).from_select([*(["resolution"] if resolution else []), *keys, *names], summed.params(postings.parameters))
    )


def _resolution(width: int) -> ColumnElement[int]:
    return literal_column(str(RESOLUTIONS[width])).label("resolution")


def _insert(connection: Connection, target: Table, sums: Sums) -> None:
    if any(abs(count) > HIGHEST for counts in sums.values() for count in counts):
        message = "counts add up to more than a roll-up can hold"
        raise SumTooLargeError(message)
    insert_rows(connection, target, [(*key, *counts) for key, counts in sums.items()])


def _spread_some(records: Iterable[LongRecord]) -> Iterator[Sums]:
    iterator = iter(records)
    while some := list(islice(iterator, _SPREAD_AT_ONCE)):
        yield spread_records(some, EVER, BIN)


def _add_sums(
    connection: Connection, target: Table, source: FromClause, keys: Sequence[str], width: int | None = None, until: int | None = None
) -> None:
    """Add sums to a roll-up, in the order of its key; with a ``width``, those of 5 minutes to the bins of that, from before ``until``."""
    names = [column.name for column in target.c if not column.primary_key]
    columns: list[Any] = [source.c[key] for key in keys]
    given = list(keys)
    if width is not None:
        columns[0] = columns[0] if width == BIN else columns[0] - columns[0] % literal_column(str(width))
        given = ["resolution", *keys]
    if isinstance(target.c.start_at.type, BinStart):
        columns[0] = columns[0] // literal_column(str(BIN))
    resolution: list[Any] = [] if width is None else [_resolution(width)]
    summed: Select[Any] = select(*resolution, *columns)
    if until is not None:
        summed = summed.where(source.c.start_at < until)
    summed = summed.add_columns(*(func.sum(source.c[name]) for name in names)).group_by(*columns).order_by(*columns)
    connection.execute(_ADDITIONS[connection.dialect.name](target, [*given, *names], summed, names))


def _add_on_conflict(make: Any) -> _Addition:  # noqa: ANN401 - the insert of a dialect
    def add(target: Table, given: Sequence[str], source: Select[Any], names: Sequence[str]) -> Executable:
        inserted = make(target).from_select(given, source)
        sums = {name: target.c[name] + inserted.excluded[name] for name in names}
        added: Executable = inserted.on_conflict_do_update(index_elements=list(target.primary_key), set_=sums)
        return added

    return add


def _add_on_duplicate_key(target: Table, given: Sequence[str], source: Select[Any], names: Sequence[str]) -> Executable:
    inserted = mysql.insert(target).from_select(list(given), source)
    return inserted.on_duplicate_key_update({name: target.c[name] + inserted.inserted[name] for name in names})


_ADDITIONS: dict[str, _Addition] = {
    POSTGRESQL: _add_on_conflict(postgresql.insert),
    SQLITE: _add_on_conflict(sqlite.insert),
    MARIADB: _add_on_duplicate_key,
    "mysql": _add_on_duplicate_key,
}
