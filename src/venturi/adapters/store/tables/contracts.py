"""Contracts in the store, each with all of its versions; they are no part of a revision.

Owns reading and writing them. What a contract may say is for ``core.contracts``.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from venturi.adapters.store.schema.contract_tables import CONTRACT_VERSIONS, CONTRACTS
from venturi.adapters.store.tables.paging import Collection, read_page, storable
from venturi.adapters.store.transaction import Transaction
from venturi.core.contracts.periods import PeriodLength
from venturi.core.contracts.terms import Contract, Side, Terms, Version
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import DuplicateContractError

_COLUMNS = list(CONTRACTS.c)
_COLLECTION = Collection("contract", _COLUMNS, {name: CONTRACTS.c[name] for name in ("id", "name", "project_id", "direction")})
_VERSIONS = CONTRACT_VERSIONS.c
_AT_ONCE = 400
Contracts = list[Contract]  # the method ``list`` hides the built-in type


class ContractTable:
    """The contracts that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, contract_id: str, project_id: str | None = None) -> Contract | None:
        """Give a contract, with ``project_id`` only one of the project, or None."""
        if not storable(contract_id):
            return None
        wanted = select(*_COLUMNS).where(CONTRACTS.c.id == contract_id)
        rows = self._connection.execute(wanted if project_id is None else wanted.where(CONTRACTS.c.project_id == project_id)).all()
        return next(iter(self._read(rows)), None)

    def list(self, listing: Listing, project_id: str | None = None) -> Contracts:
        """List contracts, with ``project_id`` those of the project; raises ``NotFoundError`` for an unknown marker."""
        restriction = None if project_id is None else CONTRACTS.c.project_id == project_id
        return self._read(read_page(self._transaction, _COLLECTION, listing, restriction))

    def insert(self, contract: Contract) -> None:
        """Add a contract; raises ``DuplicateContractError`` if another one of its project has its name."""
        self._transaction.require_writing()
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(CONTRACTS), [_write(contract)])
        except IntegrityError as error:
            raise _duplicate(contract) from error
        for version in contract.versions:
            self.add_version(contract.id, version)

    def add_version(self, contract_id: str, version: Version) -> None:
        """Add a version of a contract."""
        self._transaction.require_writing()
        columns = {
            "contract_id": contract_id,
            "number": version.number,
            "since": version.since,
            "at": version.at,
            "author": version.author,
            "foreign_members": version.foreign,
            "terms": msgspec.json.encode(version.terms).decode(),
        }
        self._connection.execute(insert(CONTRACT_VERSIONS), [columns])

    def update(self, contract: Contract) -> None:
        """Give a contract its attributes, its versions aside; raises as ``insert`` does."""
        self._transaction.require_writing()
        try:
            with self._connection.begin_nested():
                self._connection.execute(update(CONTRACTS).where(CONTRACTS.c.id == contract.id).values(**_write(contract)))
        except IntegrityError as error:
            raise _duplicate(contract) from error

    def delete(self, contract_id: str) -> None:
        """Remove a contract and its versions."""
        self._transaction.require_writing()
        self._connection.execute(delete(CONTRACT_VERSIONS).where(_VERSIONS.contract_id == contract_id))
        self._connection.execute(delete(CONTRACTS).where(CONTRACTS.c.id == contract_id))

    def _read(self, rows: Sequence[Any]) -> Contracts:
        versions: defaultdict[str, list[Version]] = defaultdict(list)
        identifiers = [row.id for row in rows]
        for start in range(0, len(identifiers), _AT_ONCE):
            wanted = _VERSIONS.contract_id.in_(identifiers[start : start + _AT_ONCE])
            for row in self._connection.execute(select(CONTRACT_VERSIONS).where(wanted).order_by(_VERSIONS.contract_id, _VERSIONS.number)):
                versions[row.contract_id].append(_read_version(row))
        return [
            Contract(
                **(row._asdict() | {"direction": Side(row.direction), "period": PeriodLength(row.period)}),
                versions=tuple(versions[row.id]),
            )
            for row in rows
        ]


def _read_version(row: Any) -> Version:  # noqa: ANN401 - a row of ``CONTRACT_VERSIONS``
    terms = msgspec.json.decode(row.terms, type=Terms)
    return Version(number=row.number, since=row.since, at=row.at, author=row.author, foreign=bool(row.foreign_members), terms=terms)


def _write(contract: Contract) -> dict[str, object]:
    columns = {column.name: getattr(contract, column.name) for column in _COLUMNS}
    return columns | {"direction": contract.direction.value, "period": contract.period.value}


def _duplicate(contract: Contract) -> DuplicateContractError:
    message = f"project '{contract.project_id}' has a contract '{contract.name}' already"
    return DuplicateContractError(message)
