"""The tables of alarms and of agents that report; neither is part of a revision.

Owns their columns. What is written there is for ``tables``.
"""

from sqlalchemy import Index, Table

from venturi.adapters.store.schema.columns import (
    IDENTIFIER_LENGTH,
    NAME_LENGTH,
    TABLE_OPTIONS,
    boolean_column,
    identifier_column,
    long_text_column,
    number_column,
    text_column,
)
from venturi.adapters.store.schema.metadata import METADATA

_SENTENCE_LENGTH = 1024

ALARMS = Table(
    "alarms",
    METADATA,
    identifier_column(),
    text_column("kind", 64),
    text_column("subject", NAME_LENGTH),
    text_column("sentence", _SENTENCE_LENGTH),
    text_column("agent_id", NAME_LENGTH),
    text_column("host", NAME_LENGTH),
    text_column("reporter", NAME_LENGTH),
    text_column("point_id", IDENTIFIER_LENGTH),
    text_column("project_id", NAME_LENGTH, nullable=True),
    text_column("project_sentence", _SENTENCE_LENGTH),
    text_column("state", 16),
    *(number_column(name) for name in ("count", "first_seen_at", "last_seen_at")),
    *(number_column(name, nullable=True) for name in ("cleared_at", "acknowledged_at")),
    text_column("acknowledged_by", NAME_LENGTH, nullable=True),
    **TABLE_OPTIONS,
)
Index("ix_alarms_state", ALARMS.c.state, ALARMS.c.kind)
Index("ix_alarms_reporter", ALARMS.c.reporter, ALARMS.c.state)

AGENTS = Table(
    "agents",
    METADATA,
    text_column("agent_id", NAME_LENGTH, key=True),
    text_column("host", NAME_LENGTH),
    number_column("reported_at"),
    number_column("report_interval"),
    boolean_column("running"),
    long_text_column("status"),
    **TABLE_OPTIONS,
)
"""The last status of each agent, in JSON; times are in nanoseconds."""
