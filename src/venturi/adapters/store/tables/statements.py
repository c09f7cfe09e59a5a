"""Statements in the store: their documents, what they bill for each period, and how they were shown. Rows are only ever added.

Owns the statements of SQL, the numbers, and the form of what is kept: compressed with Zstandard and in base64. What a statement says is for
``core.statements``.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zstandard
from sqlalchemy import exists, func, insert, select

from venturi.adapters.store.schema.statement_tables import STATEMENT_PERIODS, STATEMENT_RENDERINGS, STATEMENTS
from venturi.adapters.store.tables.paging import Collection, read_page
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.interval import Nanoseconds
from venturi.core.statements.document import StatementKind

_LEVEL = 3
_STATEMENTS = STATEMENTS.c
_PERIODS = STATEMENT_PERIODS.c
_RENDERINGS = STATEMENT_RENDERINGS.c
_VOIDS = STATEMENTS.alias("voids")
_VOIDED_BY = select(_VOIDS.c.number).where(_VOIDS.c.voids == _STATEMENTS.number).scalar_subquery().label("voided_by")
_COLUMNS = [*(column for column in _STATEMENTS if column.name != "document"), _VOIDED_BY]
_FILTERS = ("contract_id", "project_id", "kind", "period")
_COLLECTION = Collection("statement", _COLUMNS, {"id": _STATEMENTS.number, **{name: _STATEMENTS[name] for name in _FILTERS}})


@dataclass(frozen=True, kw_only=True)
class KeptStatement:
    """A statement without its document; ``voided_by`` is the number of the one that cancels it, None if none does."""

    number: int
    contract_id: str
    contract: str
    project_id: str
    kind: StatementKind
    period: str
    period_start: Nanoseconds
    period_end: Nanoseconds
    posting: int
    closed_at: Nanoseconds
    closed_by: str
    voids: int | None
    total: str | None
    currency: str | None
    digest: str
    signing_key: str | None
    signature: str | None
    voided_by: int | None = None


@dataclass(frozen=True, kw_only=True)
class BilledPeriod:
    """What statement ``number`` bills for a period: its own if ``statement`` is itself, else the difference for one closed before."""

    number: int
    contract_id: str
    statement: int
    posting: int
    period: str
    period_start: Nanoseconds
    period_end: Nanoseconds
    contract_version: int
    figure: str | None
    amount: str | None
    currency: str | None


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """A statement as it was first shown in a form."""

    form: str
    made_at: Nanoseconds
    digest: str
    octets: bytes


KeptStatements = list[KeptStatement]  # the method ``list`` hides the built-in type
BilledPeriods = list[BilledPeriod]


class StatementTable:
    """The statements that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def next_number(self) -> int:
        """Give the number of the next statement; whoever writes it holds the lock of all writers."""
        return int(self._connection.execute(select(func.coalesce(func.max(_STATEMENTS.number), 0))).scalar_one()) + 1

    def insert(self, statement: KeptStatement, document: bytes, billed: Sequence[BilledPeriod]) -> None:
        """Keep a statement with its document, and what it bills."""
        self._transaction.require_writing()
        columns = {column.name: getattr(statement, column.name) for column in STATEMENTS.c if column.name != "document"}
        kept = columns | {"kind": statement.kind.value, "document": _pack(document)}
        self._connection.execute(insert(STATEMENTS), [kept])
        if billed:
            self._connection.execute(insert(STATEMENT_PERIODS), [vars(each) for each in billed])

    def find(self, number: int, project_id: str | None = None) -> KeptStatement | None:
        """Give a statement, of a project if one is given, or None."""
        chosen = [_STATEMENTS.number == number, *([] if project_id is None else [_STATEMENTS.project_id == project_id])]
        row = self._connection.execute(select(*_COLUMNS).where(*chosen)).first()
        return None if row is None else _read(row)

    def list(self, listing: Listing, project_id: str | None = None) -> KeptStatements:
        """List statements by number, those of a project if one is given; raises ``NotFoundError`` for an unknown marker."""
        own = None if project_id is None else _STATEMENTS.project_id == project_id
        return [_read(row) for row in read_page(self._transaction, _COLLECTION, listing, own)]

    def document(self, number: int) -> bytes:
        """Give the octets of the document of a statement that there is."""
        return _unpack(self._connection.execute(select(_STATEMENTS.document).where(_STATEMENTS.number == number)).scalar_one())

    def any_of(self, contract_id: str) -> bool:
        """Tell whether a contract has statements."""
        return (
            self._connection.execute(select(_STATEMENTS.number).where(_STATEMENTS.contract_id == contract_id).limit(1)).first() is not None
        )

    def billed(self, contract_id: str) -> BilledPeriods:
        """List what the statements of a contract bill that are not voided, in their order."""
        voided = exists().where(_VOIDS.c.voids == _PERIODS.number)
        chosen = select(STATEMENT_PERIODS).where(_PERIODS.contract_id == contract_id, ~voided)
        return [BilledPeriod(**row) for row in self._connection.execute(chosen.order_by(_PERIODS.number, _PERIODS.period_start)).mappings()]

    def billed_by(self, number: int) -> BilledPeriods:
        """List what a statement bills."""
        chosen = select(STATEMENT_PERIODS).where(_PERIODS.number == number).order_by(_PERIODS.period_start)
        return [BilledPeriod(**row) for row in self._connection.execute(chosen).mappings()]

    def rendering(self, number: int, form: str) -> Rendering | None:
        """Give how a statement was first shown in a form, or None."""
        chosen = select(STATEMENT_RENDERINGS).where(_RENDERINGS.number == number, _RENDERINGS.form == form)
        row = self._connection.execute(chosen).first()
        return None if row is None else Rendering(form=row.form, made_at=row.made_at, digest=row.digest, octets=_unpack(row.content))

    def renderings(self, number: int) -> dict[str, str]:
        """Give the digests of the forms in which a statement was shown."""
        return {
            row.form: row.digest
            for row in self._connection.execute(
                select(_RENDERINGS.form, _RENDERINGS.digest).where(_RENDERINGS.number == number).order_by(_RENDERINGS.form)
            )
        }

    def keep_rendering(self, number: int, rendering: Rendering) -> None:
        """Keep how a statement is shown in a form."""
        self._transaction.require_writing()
        columns = {"number": number, "form": rendering.form, "made_at": rendering.made_at, "digest": rendering.digest}
        self._connection.execute(insert(STATEMENT_RENDERINGS), [columns | {"content": _pack(rendering.octets)}])


def _read(row: Any) -> KeptStatement:  # noqa: ANN401 - a row of ``_COLUMNS``
    return KeptStatement(**(row._asdict() | {"kind": StatementKind(row.kind)}))


def _pack(octets: bytes) -> str:
    return base64.b64encode(zstandard.ZstdCompressor(level=_LEVEL).compress(octets)).decode("ascii")


def _unpack(text: str) -> bytes:
    return zstandard.ZstdDecompressor().decompress(base64.b64decode(text))
