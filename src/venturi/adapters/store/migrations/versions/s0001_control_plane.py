"""The first schema: labels, rules, observation points and their history, tokens and leases.

Owns these tables as they were when they were made; later steps change them.
"""

from typing import Any

import sqlalchemy as sa

from venturi.adapters.store.migrations.frozen_columns import (
    boolean_column,
    identifier_column,
    long_text_column,
    number_column,
    text_column,
)
from venturi.adapters.store.migrations.steps import create_index, create_table, insert_missing

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the counter of revisions at 0."""
    _make_revisions()
    _make_labels()
    _make_rules()
    _make_points()
    _make_history("labels_history", _label_columns())
    _make_history("rules_history", [identifier_column("metering_label_id"), *_rule_columns()])
    _make_history("observation_points_history", _point_columns())
    _make_tokens()


def _make_revisions() -> None:
    create_table(
        "revision_counter",
        number_column("id"),
        number_column("number"),
        key=("id",),
    )
    create_table(
        "revisions",
        number_column("number"),
        number_column("at"),
        text_column("author", 255),
        text_column("project_id", 255),
        key=("number",),
    )
    insert_missing("revision_counter", [{"id": 1, "number": 0}])


def _make_labels() -> None:
    create_table(
        "labels",
        identifier_column(),
        *_label_columns(),
        number_column("valid_from"),
        key=("id",),
    )
    create_index("ix_labels_name", "labels", ["name", "id"])
    create_index("ix_labels_project_id", "labels", ["project_id", "id"])
    create_index("ix_labels_valid_from", "labels", ["valid_from"])


def _make_rules() -> None:
    key = ["metering_label_id", "direction", "excluded"]
    create_table(
        "rules",
        identifier_column(),
        identifier_column("metering_label_id"),
        *_rule_columns(),
        text_column("remote_first", 33, nullable=True),
        text_column("remote_last", 33, nullable=True),
        number_column("valid_from"),
        sa.ForeignKeyConstraint(["metering_label_id"], ["labels.id"], name="fk_rules_metering_label_id", ondelete="CASCADE"),
        sa.UniqueConstraint(*key, "remote_first", name="uq_rules_remote"),
        key=("id",),
    )
    create_index("ix_rules_valid_from", "rules", ["valid_from"])


def _make_points() -> None:
    create_table(
        "observation_points",
        identifier_column(),
        *_point_columns(),
        text_column("place_key", 128),
        number_column("valid_from"),
        sa.UniqueConstraint("place_key", name="uq_observation_points_place_key"),
        key=("id",),
    )
    create_index("ix_observation_points_host", "observation_points", ["host"])
    create_index("ix_observation_points_valid_from", "observation_points", ["valid_from"])


def _make_history(name: str, columns: list[sa.Column[Any]]) -> None:
    create_table(
        name,
        identifier_column(),
        *columns,
        number_column("valid_from"),
        number_column("valid_to"),
        key=(
            "id",
            "valid_from",
        ),
    )
    create_index(f"ix_{name}_valid_from", name, ["valid_from"])
    create_index(f"ix_{name}_valid_to", name, ["valid_to"])


def _make_tokens() -> None:
    create_table(
        "tokens",
        identifier_column(),
        text_column("name", 255),
        text_column("project_id", 255),
        text_column("role", 16),
        number_column("created_at"),
        number_column("expires_at", nullable=True),
        number_column("revoked_at", nullable=True),
        number_column("last_used_at", nullable=True),
        text_column("agent_id", 255, nullable=True),
        text_column("host", 255, nullable=True),
        text_column("secret_digest", 128),
        key=("id",),
    )
    create_table(
        "leases",
        text_column("host", 255),
        text_column("agent_id", 255),
        number_column("until"),
        key=("host",),
    )


def _label_columns() -> list[sa.Column[Any]]:
    return [text_column("name", 255), text_column("description", 1024), boolean_column("shared"), text_column("project_id", 255)]


def _rule_columns() -> list[sa.Column[Any]]:
    prefixes = ("remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix")
    return [text_column("direction", 7), boolean_column("excluded"), *(text_column(name, 43) for name in prefixes)]


def _point_columns() -> list[sa.Column[Any]]:
    return [
        text_column("name", 255),
        text_column("project_id", 255),
        boolean_column("shared"),
        text_column("kind", 16),
        text_column("traffic", 16),
        *(text_column(name, 255, nullable=True) for name in ("host", "namespace", "device", "router_id")),
        text_column("address", 43, nullable=True),
        number_column("observation_domain", nullable=True),
        long_text_column("outside_interfaces"),
        text_column("collector_host", 255, nullable=True),
    ]
