"""The table of sessions of the dashboard; they are no part of a revision.

Owns its columns. What is written there is for ``tables``.
"""

from sqlalchemy import Index, Table

from venturi.adapters.store.schema.columns import (
    DIGEST_LENGTH,
    IDENTIFIER_LENGTH,
    NAME_LENGTH,
    TABLE_OPTIONS,
    number_column,
    text_column,
)
from venturi.adapters.store.schema.metadata import METADATA

SESSIONS = Table(
    "sessions",
    METADATA,
    text_column("key_digest", DIGEST_LENGTH, key=True),
    text_column("token_id", IDENTIFIER_LENGTH, nullable=True),
    text_column("user_id", NAME_LENGTH),
    text_column("project_id", NAME_LENGTH),
    text_column("roles", NAME_LENGTH),
    number_column("created_at"),
    number_column("expires_at"),
    Index("ix_sessions_expires_at", "expires_at"),
    **TABLE_OPTIONS,
)
"""A row for each browser that is signed in: by the digest of its key, who it is, and by which token."""
