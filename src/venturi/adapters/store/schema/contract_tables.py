"""The tables of contracts and of what their versions say; neither is part of a revision.

Owns their columns. What is written there is for ``tables``.
"""

from sqlalchemy import Table, UniqueConstraint

from venturi.adapters.store.schema.columns import (
    IDENTIFIER_LENGTH,
    NAME_LENGTH,
    TABLE_OPTIONS,
    boolean_column,
    identifier_column,
    long_text_column,
    number_column,
    small_column,
    text_column,
)
from venturi.adapters.store.schema.metadata import METADATA

CONTRACT_KEY = "uq_contracts_name"
"""The unique key of contracts: no two of a project have one name."""

CONTRACTS = Table(
    "contracts",
    METADATA,
    identifier_column(),
    text_column("name", NAME_LENGTH),
    text_column("project_id", NAME_LENGTH),
    text_column("direction", 16),
    text_column("zone", 64),
    text_column("period", 16),
    small_column("first_day"),
    number_column("begins_at"),
    number_column("ends_at", nullable=True),
    UniqueConstraint("project_id", "name", name=CONTRACT_KEY),
    **TABLE_OPTIONS,
)

CONTRACT_VERSIONS = Table(
    "contract_versions",
    METADATA,
    text_column("contract_id", IDENTIFIER_LENGTH, key=True),
    number_column("number", key=True),
    number_column("since"),
    number_column("at"),
    text_column("author", NAME_LENGTH),
    boolean_column("foreign_members"),
    long_text_column("terms"),
    **TABLE_OPTIONS,
)
"""What each version says, in JSON; no row is ever changed."""
