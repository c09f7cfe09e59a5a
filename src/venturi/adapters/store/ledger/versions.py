"""What entries name by number: labels, points, places and generations as they were.

Owns the numbers. A version that is there is never changed, so numbers that were committed are remembered across transactions.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, and_, func, select

from venturi.adapters.store.ledger.bulk import insert_rows
from venturi.adapters.store.schema.ledger_tables import LEDGER_LABEL_VERSIONS, LEDGER_OWNERS, LEDGER_POINT_VERSIONS, VERSION_TABLES
from venturi.core.ledger.roll_ups import Owner

Version = tuple[Any, ...]
"""All columns of a version but its number, in the order of the table."""

_MOST_REMEMBERED = 500_000
_ASKED_AT_ONCE = 400


def read_owners(connection: Connection) -> dict[int, Owner]:
    """Give the owner of each version of a label."""
    labels, owners = LEDGER_LABEL_VERSIONS.c, LEDGER_OWNERS.c
    same = and_(labels.project_id == owners.project_id, labels.shared == owners.shared)
    statement = select(labels.id, owners.id, owners.shared).join_from(LEDGER_LABEL_VERSIONS, LEDGER_OWNERS, same)
    return {row[0]: Owner(row[1], bool(row[2])) for row in connection.execute(statement)}


class VersionMemory:
    """Numbers of versions that are known to be committed, by table; for one thread at a time."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[Version, int]] = {table.name: {} for table in VERSION_TABLES}
        self.seen = 0
        """The latest posting when this was asked last."""
        self._seal = ""

    def begin(self, posting: int, seals: Mapping[int, str]) -> None:
        """Take up ``posting``, the latest; ``seals`` has its seal and that of ``seen``.

        Forget everything if that is another than it was, or gone: then the database was put back, and may have gone on otherwise.
        """
        if seals.get(self.seen, "") != self._seal or sum(map(len, self._numbers.values())) > _MOST_REMEMBERED:
            self.forget()
        self.seen, self._seal = posting, seals.get(posting, "")

    def forget(self) -> None:
        """Forget all numbers."""
        for numbers in self._numbers.values():
            numbers.clear()

    def of(self, table: Table) -> dict[Version, int]:
        """Give the numbers of the versions of a table, to read and to remember by."""
        return self._numbers[table.name]


class VersionNumbers:
    """Gives versions their numbers within one transaction that holds the lock of the ledger."""

    def __init__(self, connection: Connection, memory: VersionMemory) -> None:
        """Learn from ``memory``; what is new is remembered there by ``remember``, once it is committed."""
        self._connection = connection
        self._memory = memory
        self._new: dict[str, dict[Version, int]] = {table.name: {} for table in VERSION_TABLES}

    def number(self, table: Table, versions: Sequence[Version]) -> list[int]:
        """Give the numbers of versions, in their order, adding those that are not there yet."""
        known, new = self._memory.of(table), self._new[table.name]
        unknown = dict.fromkeys(version for version in versions if version not in known and version not in new)
        if unknown:
            found = self._find(table, unknown)
            new |= found | self._add(table, [version for version in unknown if version not in found])
        return [known[version] if version in known else new[version] for version in versions]

    def latest_points(self, point_ids: Collection[str]) -> dict[str, int]:
        """Give the number of the latest version of each point of which something counts, by its id."""
        names, points = sorted(point_ids), LEDGER_POINT_VERSIONS.c
        found: dict[str, int] = {}
        for start in range(0, len(names), _ASKED_AT_ONCE):
            wanted = points.point_id.in_(names[start : start + _ASKED_AT_ONCE]), ~points.held
            statement = select(points.point_id, func.max(points.id)).where(*wanted).group_by(points.point_id)
            found |= {row[0]: row[1] for row in self._connection.execute(statement)}
        return found

    def remember(self) -> None:
        """Remember what was looked up, now that it is committed."""
        for table in VERSION_TABLES:
            self._memory.of(table).update(self._new[table.name])

    def _find(self, table: Table, wanted: Mapping[Version, None]) -> dict[Version, int]:
        """Look versions up by their first column, which tells most of them apart."""
        first = list(table.c)[1]
        names = list(dict.fromkeys(version[0] for version in wanted))
        found: dict[Version, int] = {}
        for start in range(0, len(names), _ASKED_AT_ONCE):
            statement = select(*table.c).where(first.in_(names[start : start + _ASKED_AT_ONCE]))
            found |= {tuple(row[1:]): row[0] for row in self._connection.execute(statement)}
        return {version: number for version, number in found.items() if version in wanted}

    def _add(self, table: Table, versions: Sequence[Version]) -> dict[Version, int]:
        if not versions:
            return {}
        highest = self._connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
        added = {version: highest + place for place, version in enumerate(versions, 1)}
        insert_rows(self._connection, table, [(number, *version) for version, number in added.items()])
        return added
