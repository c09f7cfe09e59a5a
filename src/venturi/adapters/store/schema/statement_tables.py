"""The tables of statements; triggers keep their rows as they are, as those of the ledger.

Owns their columns. What is written there is for ``tables``.
"""

from sqlalchemy import Index, Table

from venturi.adapters.store.schema.columns import (
    DIGEST_LENGTH,
    IDENTIFIER_LENGTH,
    NAME_LENGTH,
    TABLE_OPTIONS,
    document_column,
    number_column,
    text_column,
)
from venturi.adapters.store.schema.metadata import METADATA

_DECIMAL_LENGTH = 64
_CURRENCY_LENGTH = 3

STATEMENTS = Table(
    "statements",
    METADATA,
    number_column("number", key=True),
    text_column("contract_id", IDENTIFIER_LENGTH),
    text_column("contract", NAME_LENGTH),
    text_column("project_id", NAME_LENGTH),
    text_column("kind", 16),
    text_column("period", 16),
    number_column("period_start"),
    number_column("period_end"),
    number_column("posting"),
    number_column("closed_at"),
    text_column("closed_by", NAME_LENGTH),
    number_column("voids", nullable=True),
    text_column("total", _DECIMAL_LENGTH, nullable=True),
    text_column("currency", _CURRENCY_LENGTH, nullable=True),
    text_column("digest", DIGEST_LENGTH),
    text_column("signing_key", DIGEST_LENGTH, nullable=True),
    text_column("signature", DIGEST_LENGTH, nullable=True),
    document_column("document"),
    **TABLE_OPTIONS,
)
"""Statements, numbered without a gap. ``document`` has the octets that are digested and signed, compressed and in base64; ``voids`` is the
number of the statement that one cancels."""
Index("ix_statements_contract_id", STATEMENTS.c.contract_id, STATEMENTS.c.period_start)
Index("ix_statements_voids", STATEMENTS.c.voids)

STATEMENT_PERIODS = Table(
    "statement_periods",
    METADATA,
    number_column("number", key=True),
    number_column("period_start", key=True),
    text_column("contract_id", IDENTIFIER_LENGTH),
    number_column("statement"),
    number_column("posting"),
    text_column("period", 16),
    number_column("period_end"),
    number_column("contract_version"),
    text_column("figure", _DECIMAL_LENGTH, nullable=True),
    text_column("amount", _DECIMAL_LENGTH, nullable=True),
    text_column("currency", _CURRENCY_LENGTH, nullable=True),
    **TABLE_OPTIONS,
)
"""What a statement bills for each period: its own, whose ``statement`` is itself, and earlier ones that it adjusts, by the difference."""
Index("ix_statement_periods_contract_id", STATEMENT_PERIODS.c.contract_id, STATEMENT_PERIODS.c.period_start)

STATEMENT_RENDERINGS = Table(
    "statement_renderings",
    METADATA,
    number_column("number", key=True),
    text_column("form", 16, key=True),
    number_column("made_at"),
    text_column("digest", DIGEST_LENGTH),
    document_column("content"),
    **TABLE_OPTIONS,
)
"""Statements as they were first shown in a form, compressed and in base64; ``digest`` is the SHA-256 of the octets."""
