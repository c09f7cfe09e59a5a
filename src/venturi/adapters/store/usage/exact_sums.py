"""Sums that are exact on every database, whatever their size.

Owns how each database is asked for them. What is summed is for ``sums``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func
from sqlalchemy.exc import DataError, OperationalError

from venturi.adapters.store.engines.locations import POSTGRESQL, SQLITE
from venturi.adapters.store.transaction import Transaction

_HALF = 32
_LOW = (1 << _HALF) - 1
_OVERFLOW = "integer overflow"
Row = tuple[Any, ...]


class ExactSums:
    """Sums that one transaction reads."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._embedded = transaction.connection.dialect.name == SQLITE

    def sum(self, statement: Select[Any], counts: Sequence[ColumnElement[int]], parameters: Mapping[str, int]) -> Iterable[Row]:
        """Add sums to a statement, in 64 bits; where these do not hold a sum the database says so, and sums are made without a bound.

        SQLite then sums in halves. MariaDB gives decimals from the first.
        """
        if self._connection.dialect.name == POSTGRESQL:
            return self._sum_on_postgresql(statement, counts, parameters)
        try:
            rows = self.fetch(statement.add_columns(*map(func.sum, counts)), parameters)
        except OperationalError as error:
            if _OVERFLOW not in str(error.orig):
                raise
            halves = [half for count in counts for half in (count.bitwise_rshift(_HALF), count.bitwise_and(_LOW))]
            return map(_join_halves(len(counts)), self.fetch(statement.add_columns(*map(func.sum, halves)), parameters))
        return rows if self._embedded else map(_as_integers(len(counts)), rows)

    def _sum_on_postgresql(
        self, statement: Select[Any], counts: Sequence[ColumnElement[int]], parameters: Mapping[str, int]
    ) -> Iterable[Row]:
        """Have PostgreSQL make integers of its decimals, of which reading takes longer."""
        try:
            with self._connection.begin_nested():
                return self.fetch(statement.add_columns(*(cast(func.sum(count), BigInteger) for count in counts)), parameters)
        except DataError:
            return map(_as_integers(len(counts)), self.fetch(statement.add_columns(*map(func.sum, counts)), parameters))

    def fetch(self, statement: Select[Any], parameters: Mapping[str, int] = MappingProxyType({})) -> Sequence[Row]:
        """Read all rows of a statement."""
        with self._transaction.fetching:
            return self._connection.execute(statement, parameters).all()


def _as_integers(count: int) -> Callable[[Row], Row]:
    """Give a function that makes integers of the last ``count`` values, which some databases give as decimals."""
    return lambda row: (*row[:-count], *(each if each is None else int(each) for each in row[-count:]))


def _join_halves(count: int) -> Callable[[Row], Row]:
    """Give a function that joins the last ``count`` pairs of high and low halves."""

    def join(row: Row) -> Row:
        halves = row[-2 * count :]
        return (*row[: -2 * count], *((halves[place] << _HALF) + halves[place + 1] for place in range(0, 2 * count, 2)))

    return join
