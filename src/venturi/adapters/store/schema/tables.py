"""The tables of the control plane: live ones, which carry the invariants as keys, and the history of what they held before.

Owns which columns there are and what they are named. How tables come to be is for the migrations. A live row holds since
``valid_from``; a row of history held from ``valid_from`` until the revision ``valid_to``. A prefix left out is an empty
text, so that it takes part in keys and is ordered alike everywhere.
"""

from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table, UniqueConstraint

from venturi.adapters.store.schema.columns import (
    BOUNDARY_LENGTH,
    DESCRIPTION_LENGTH,
    DIGEST_LENGTH,
    IDENTIFIER_LENGTH,
    NAME_LENGTH,
    PREFIX_LENGTH,
    RANGE_LENGTH,
    TABLE_OPTIONS,
    boolean_column,
    identifier_column,
    long_text_column,
    number_column,
    text_column,
    text_type,
)
from venturi.adapters.store.schema.metadata import METADATA

LABEL_KEY = "fk_rules_metering_label_id"
"""The foreign key of rules: their label exists."""

REMOTE_KEY = "uq_rules_remote"
"""The unique key of rules: no two remote prefixes of a label, direction and excluded flag begin at the same address."""

PLACE_KEY = "uq_observation_points_place_key"
"""The unique key of observation points: no two are at the same place."""

LABEL_ATTRIBUTES = ("id", "name", "description", "shared", "project_id")
RULE_ATTRIBUTES = (
    "id",
    "metering_label_id",
    "direction",
    "excluded",
    "remote_ip_prefix",
    "source_ip_prefix",
    "destination_ip_prefix",
)
POINT_ATTRIBUTES = (
    "id",
    "name",
    "project_id",
    "shared",
    "kind",
    "traffic",
    "host",
    "namespace",
    "device",
    "router_id",
    "address",
    "observation_domain",
    "outside_interfaces",
    "collector_host",
    "hook",
    "hosts",
    "line_rate",
    "boundary",
)


def _label_columns() -> list[Column[Any]]:
    return [
        text_column("name", NAME_LENGTH),
        text_column("description", DESCRIPTION_LENGTH),
        boolean_column("shared"),
        text_column("project_id", NAME_LENGTH),
    ]


def _rule_columns() -> list[Column[Any]]:
    return [
        text_column("direction", 7),
        boolean_column("excluded"),
        text_column("remote_ip_prefix", PREFIX_LENGTH),
        text_column("source_ip_prefix", PREFIX_LENGTH),
        text_column("destination_ip_prefix", PREFIX_LENGTH),
    ]


def _point_columns() -> list[Column[Any]]:
    return [
        text_column("name", NAME_LENGTH),
        text_column("project_id", NAME_LENGTH),
        boolean_column("shared"),
        text_column("kind", 16),
        text_column("traffic", 16),
        text_column("host", NAME_LENGTH, nullable=True),
        text_column("namespace", NAME_LENGTH, nullable=True),
        text_column("device", NAME_LENGTH, nullable=True),
        text_column("router_id", NAME_LENGTH, nullable=True),
        text_column("address", PREFIX_LENGTH, nullable=True),
        number_column("observation_domain", nullable=True),
        long_text_column("outside_interfaces"),
        text_column("collector_host", NAME_LENGTH, nullable=True),
        text_column("hook", 16, nullable=True),
        long_text_column("hosts"),
        number_column("line_rate", nullable=True),
        text_column("boundary", BOUNDARY_LENGTH, nullable=True),
    ]


def _history(name: str, columns: list[Column[Any]]) -> Table:
    """Make the table of what a live table held before."""
    table = Table(
        name,
        METADATA,
        identifier_column(),
        *columns,
        number_column("valid_from", key=True),
        number_column("valid_to"),
        **TABLE_OPTIONS,
    )
    Index(f"ix_{name}_valid_from", table.c.valid_from)
    Index(f"ix_{name}_valid_to", table.c.valid_to)
    return table


REVISION_COUNTER = Table("revision_counter", METADATA, number_column("id", key=True), number_column("number"), **TABLE_OPTIONS)
"""One row: the number of the latest revision. Whoever writes locks it first."""

REVISIONS = Table(
    "revisions",
    METADATA,
    number_column("number", key=True),
    number_column("at"),
    text_column("author", NAME_LENGTH),
    text_column("project_id", NAME_LENGTH),
    **TABLE_OPTIONS,
)

LABELS = Table("labels", METADATA, identifier_column(), *_label_columns(), number_column("valid_from"), **TABLE_OPTIONS)
Index("ix_labels_name", LABELS.c.name, LABELS.c.id)
Index("ix_labels_project_id", LABELS.c.project_id, LABELS.c.id)
Index("ix_labels_valid_from", LABELS.c.valid_from)

RULES = Table(
    "rules",
    METADATA,
    identifier_column(),
    Column(
        "metering_label_id",
        text_type(IDENTIFIER_LENGTH),
        ForeignKey("labels.id", name=LABEL_KEY, ondelete="CASCADE"),
        nullable=False,
    ),
    *_rule_columns(),
    text_column("remote_first", RANGE_LENGTH, nullable=True),
    text_column("remote_last", RANGE_LENGTH, nullable=True),
    number_column("valid_from"),
    UniqueConstraint("metering_label_id", "direction", "excluded", "remote_first", name=REMOTE_KEY),
    **TABLE_OPTIONS,
)
Index("ix_rules_valid_from", RULES.c.valid_from)

OBSERVATION_POINTS = Table(
    "observation_points",
    METADATA,
    identifier_column(),
    *_point_columns(),
    text_column("place_key", DIGEST_LENGTH),
    number_column("valid_from"),
    UniqueConstraint("place_key", name=PLACE_KEY),
    **TABLE_OPTIONS,
)
Index("ix_observation_points_host", OBSERVATION_POINTS.c.host)
Index("ix_observation_points_valid_from", OBSERVATION_POINTS.c.valid_from)

LABELS_HISTORY = _history("labels_history", _label_columns())
RULES_HISTORY = _history("rules_history", [identifier_column("metering_label_id", key=False), *_rule_columns()])
Index("ix_rules_history_metering_label_id", RULES_HISTORY.c.metering_label_id)
OBSERVATION_POINTS_HISTORY = _history("observation_points_history", _point_columns())

TOKENS = Table(
    "tokens",
    METADATA,
    identifier_column(),
    text_column("name", NAME_LENGTH),
    text_column("project_id", NAME_LENGTH),
    text_column("role", 16),
    number_column("created_at"),
    number_column("expires_at", nullable=True),
    number_column("revoked_at", nullable=True),
    number_column("last_used_at", nullable=True),
    text_column("agent_id", NAME_LENGTH, nullable=True),
    text_column("host", NAME_LENGTH, nullable=True),
    text_column("secret_digest", DIGEST_LENGTH),
    **TABLE_OPTIONS,
)

LEASES = Table(
    "leases",
    METADATA,
    text_column("host", NAME_LENGTH, key=True),
    text_column("agent_id", NAME_LENGTH),
    number_column("until"),
    **TABLE_OPTIONS,
)

LABEL_CHANGES = Table(
    "label_changes",
    METADATA,
    text_column("project_id", NAME_LENGTH, key=True),
    boolean_column("shared", key=True),
    number_column("revision", key=True),
    **TABLE_OPTIONS,
)
"""At which revisions labels of an owner, or their rules, changed; one row for an owner and revision, written with the revision."""
Index("ix_label_changes_revision", LABEL_CHANGES.c.revision)
Index("ix_label_changes_shared", LABEL_CHANGES.c.shared, LABEL_CHANGES.c.revision)

TOLD_STATE = Table(
    "told_state",
    METADATA,
    number_column("id", key=True),
    number_column("history_end"),
    number_column("worked_out"),
    number_column("recorded"),
    **TABLE_OPTIONS,
)
"""One row. Up to the revision ``history_end`` plans were answered without a record, which is worked out up to ``worked_out``; ``recorded``
grows with each writing. Whoever writes the record locks the row first."""

TOLD_CLASSIFIERS = Table(
    "told_classifiers",
    METADATA,
    text_column("project_id", NAME_LENGTH, key=True),
    boolean_column("shared", key=True),
    number_column("since", key=True),
    text_column("classifier", DIGEST_LENGTH, key=True),
    **TABLE_OPTIONS,
)
"""The digests of the classifiers that plans had at points of a project, or, with an empty project, at shared ones. A classifier is that of
the labels as they stand from the revision ``since``, at which they changed, until they change again; each form of its digest has a row."""
Index("ix_told_classifiers_classifier", TOLD_CLASSIFIERS.c.classifier)
