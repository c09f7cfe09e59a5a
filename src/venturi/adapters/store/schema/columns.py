"""The types of columns, so that each is compared and ordered alike on every database.

Owns widths and collations. Texts are ordered by code point: SQLite does so unasked, MariaDB by the collation of its tables.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Integer, SmallInteger, String, Text, TypeDecorator
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.types import TypeEngine

from venturi.core.ledger.bins import BIN

IDENTIFIER_LENGTH = 36
"""Characters of a UUID."""

NAME_LENGTH = 255
"""The longest name, project, host or user, in characters."""

BOUNDARY_LENGTH = 64
"""The longest name of a boundary: with the rest of a version it fits into a key of MariaDB."""

DESCRIPTION_LENGTH = 1024
"""The longest description, in characters."""

PREFIX_LENGTH = 43
"""Characters of the longest IPv6 prefix as echoed."""

RANGE_LENGTH = 33
"""Characters of one end of a range of addresses: the IP version and 32 hexadecimal digits."""

DIGEST_LENGTH = 128
"""Characters of the longest digest in hexadecimal digits."""

TABLE_OPTIONS: dict[str, Any] = {"mariadb_engine": "InnoDB", "mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin"}
"""What every table is made with: on MariaDB, transactions and exact comparison of texts, trailing blanks included."""


def text_type(length: int) -> TypeEngine[str]:
    """Give the type of texts of at most ``length`` characters."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def text_column(name: str, length: int, *, nullable: bool = False, key: bool = False) -> Column[str]:
    """Make a column of texts; with ``key``, of the primary key."""
    return Column(name, text_type(length), nullable=nullable, primary_key=key)


def identifier_column(name: str = "id", *, key: bool = True) -> Column[str]:
    """Make a column of identifiers, of the primary key unless told."""
    return text_column(name, IDENTIFIER_LENGTH, key=key)


def long_text_column(name: str) -> Column[str]:
    """Make a column of texts that may be empty and are neither ordered nor indexed."""
    return Column(name, Text, nullable=True)


def document_column(name: str) -> Column[str]:
    """Make a column of texts that may be long; on MariaDB, others hold 64 KiB."""
    return Column(name, Text().with_variant(LONGTEXT(), "mariadb", "mysql"), nullable=False)


def number_column(name: str, *, nullable: bool = False, key: bool = False) -> Column[int]:
    """Make a column of integers of 64 bits: counts, numbers of revisions and postings, and times in nanoseconds."""
    return Column(name, BigInteger, nullable=nullable, primary_key=key, autoincrement=False)


def reference_column(name: str, *, key: bool = False) -> Column[int]:
    """Make a column of numbers of 32 bits: what stands for a row of another table, or a place in a sequence."""
    return Column(name, Integer, nullable=False, primary_key=key, autoincrement=False)


def small_column(name: str, *, key: bool = False) -> Column[int]:
    """Make a column of numbers of 16 bits: codes and the lengths of bins."""
    return Column(name, SmallInteger, nullable=False, primary_key=key, autoincrement=False)


def boolean_column(name: str, *, key: bool = False) -> Column[bool]:
    """Make a column of booleans."""
    return Column(name, Boolean, nullable=False, primary_key=key)


class BinStart(TypeDecorator[int]):
    """The start of a bin: nanoseconds since the UTC epoch in Python, in the database the number of 5 minutes since then, in 32 bits.

    A time between two starts that one is compared with stands for the later one, as ``<`` and ``>=`` want it.
    """

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - alike on all
        """Give the number that stands for a time, the next start if it is none."""
        return None if value is None else bin_number(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - alike on all
        """Give the time that a number stands for."""
        return None if value is None else value * BIN


def bin_number(time: int) -> int:
    """Give the number that stands for the start of a bin in the database, of the next start if ``time`` is none."""
    return -(-time // BIN)


def bin_start_column(name: str, *, key: bool = False) -> Column[int]:
    """Make a column of starts of bins."""
    return Column(name, BinStart, nullable=False, primary_key=key, autoincrement=False)
