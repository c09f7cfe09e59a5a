"""The columns and options of tables as migrations make them.

Owns what a released migration names, so nothing here is ever changed; new kinds of columns are added. The tables of the code have their
own (``schema.columns``), which may change: a migration that used those would make other tables than it did when it was released.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Integer, SmallInteger, String, Text
from sqlalchemy.dialects.mysql import LONGTEXT

TABLE_OPTIONS: dict[str, Any] = {"mariadb_engine": "InnoDB", "mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin"}
"""What every table is made with: on MariaDB, transactions and exact comparison of texts, trailing blanks included."""


def text_column(name: str, length: int, *, nullable: bool = False) -> Column[str]:
    """Make a column of texts of at most ``length`` characters, ordered by code point."""
    return Column(name, String(length).with_variant(String(length, collation="C"), "postgresql"), nullable=nullable)


def identifier_column(name: str = "id") -> Column[str]:
    """Make a column of identifiers: UUIDs."""
    return text_column(name, 36)


def long_text_column(name: str) -> Column[str]:
    """Make a column of texts of any length, for what is neither ordered nor indexed."""
    return Column(name, Text, nullable=True)


def document_column(name: str) -> Column[str]:
    """Make a column of texts of any length, also where others hold 64 KiB."""
    return Column(name, Text().with_variant(LONGTEXT(), "mariadb", "mysql"), nullable=False)


def number_column(name: str, *, nullable: bool = False) -> Column[int]:
    """Make a column of integers of 64 bits."""
    return Column(name, BigInteger, nullable=nullable, autoincrement=False)


def reference_column(name: str) -> Column[int]:
    """Make a column of integers of 32 bits."""
    return Column(name, Integer, nullable=False, autoincrement=False)


def small_column(name: str) -> Column[int]:
    """Make a column of integers of 16 bits."""
    return Column(name, SmallInteger, nullable=False, autoincrement=False)


def boolean_column(name: str) -> Column[bool]:
    """Make a column of true or false."""
    return Column(name, Boolean, nullable=False)
