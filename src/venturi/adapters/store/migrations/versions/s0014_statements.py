"""Statements, what they bill for each period, and how they were shown.

Owns these tables as they were when they were made: later steps change them.
"""

from venturi.adapters.store.migrations.frozen_columns import document_column, identifier_column, number_column, text_column
from venturi.adapters.store.migrations.ledger_triggers import make_triggers
from venturi.adapters.store.migrations.steps import create_index, create_table

revision = "0014"
down_revision = "0013"
makes_triggers = True

_TABLES = ("statements", "statement_periods", "statement_renderings")


def upgrade() -> None:
    """Make the tables, and what keeps their rows."""
    create_table(
        "statements",
        number_column("number"),
        identifier_column("contract_id"),
        text_column("contract", 255),
        text_column("project_id", 255),
        text_column("kind", 16),
        text_column("period", 16),
        *(number_column(name) for name in ("period_start", "period_end", "posting", "closed_at")),
        text_column("closed_by", 255),
        number_column("voids", nullable=True),
        text_column("total", 64, nullable=True),
        text_column("currency", 3, nullable=True),
        text_column("digest", 128),
        text_column("signing_key", 128, nullable=True),
        text_column("signature", 128, nullable=True),
        document_column("document"),
        key=("number",),
    )
    create_index("ix_statements_contract_id", "statements", ("contract_id", "period_start"))
    create_index("ix_statements_voids", "statements", ("voids",))
    create_table(
        "statement_periods",
        *(number_column(name) for name in ("number", "period_start")),
        identifier_column("contract_id"),
        number_column("statement"),
        number_column("posting"),
        text_column("period", 16),
        *(number_column(name) for name in ("period_end", "contract_version")),
        text_column("figure", 64, nullable=True),
        text_column("amount", 64, nullable=True),
        text_column("currency", 3, nullable=True),
        key=("number", "period_start"),
    )
    create_index("ix_statement_periods_contract_id", "statement_periods", ("contract_id", "period_start"))
    create_table(
        "statement_renderings",
        number_column("number"),
        text_column("form", 16),
        number_column("made_at"),
        text_column("digest", 128),
        document_column("content"),
        key=("number", "form"),
    )
    make_triggers((), _TABLES)
