"""The ledger: postings, entries, roll-ups, spools, and the triggers that let nothing be changed or removed.

Owns these tables as they were when they were made; later steps change them.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import LONGTEXT

from venturi.adapters.store.migrations.frozen_columns import (
    TABLE_OPTIONS,
    boolean_column,
    identifier_column,
    number_column,
    reference_column,
    small_column,
    text_column,
)
from venturi.adapters.store.migrations.ledger_triggers import make_triggers
from venturi.adapters.store.migrations.steps import create_index, create_table, insert_missing

revision = "0002"
down_revision = "0001"
makes_triggers = True

_CLUSTERED = TABLE_OPTIONS | {"sqlite_with_rowid": False}
_UPDATED_IN_PLACE = _CLUSTERED | {"postgresql_with": {"fillfactor": 70}}
_ENTRIES = ("ledger_postings", "ledger_intervals", "ledger_totals", "ledger_usage", "ledger_corrections")
_VERSIONS = ("ledger_point_versions", "ledger_label_versions", "ledger_owners", "ledger_places", "ledger_generations")
_PARTS = ("unmatched_", "unattributed_")


def upgrade() -> None:
    """Make the tables, the counter of postings at 0, and the triggers."""
    _make_state()
    _make_postings()
    _make_entries()
    _make_versions()
    _make_bins()
    _make_spools()
    make_triggers(_ENTRIES, _VERSIONS)


def _counts(*kinds: str) -> list[sa.Column[Any]]:
    return [number_column(f"{kind}{unit}") for kind in ("", *kinds) for unit in ("packets", "octets")]


def _make_state() -> None:
    create_table("ledger_state", number_column("id"), number_column("posting"), number_column("removable"), key=("id",))
    insert_missing("ledger_state", [{"id": 1, "posting": 0, "removable": 0}])


def _make_postings() -> None:
    create_table(
        "ledger_postings",
        number_column("posting"),
        text_column("kind", 24),
        number_column("posted_at"),
        reference_column("entries"),
        text_column("seal", 128),
        text_column("agent_id", 255, nullable=True),
        text_column("host", 255, nullable=True),
        text_column("spool_id", 36, nullable=True),
        number_column("sequence", nullable=True),
        number_column("sealed_at", nullable=True),
        text_column("previous", 128, nullable=True),
        text_column("digest", 128, nullable=True),
        text_column("author", 255, nullable=True),
        text_column("reason", 255, nullable=True),
        text_column("correction_id", 36, nullable=True),
        sa.UniqueConstraint("spool_id", "sequence", name="uq_ledger_postings_sequence"),
        sa.UniqueConstraint("correction_id", name="uq_ledger_postings_correction_id"),
        key=("posting",),
    )


def _make_entries() -> None:
    entry = ("posting", "ordinal")
    create_table(
        "ledger_intervals",
        number_column("posting"),
        *(reference_column(name) for name in ("ordinal", "point_version", "place", "generation")),
        number_column("start_at"),
        number_column("end_at"),
        text_column("coverage", 24),
        text_column("reason", 24),
        boolean_column("overlapping"),
        key=entry,
        options=_CLUSTERED,
    )
    create_index("ix_ledger_intervals_end_at", "ledger_intervals", ["point_version", "end_at"])
    of_interval = [reference_column("ordinal"), reference_column("interval_ordinal")]
    totals = [number_column("posting"), *of_interval, small_column("direction"), *_counts(*_PARTS)]
    create_table("ledger_totals", *totals, key=entry, options=_CLUSTERED)
    of_interval = [reference_column(name) for name in ("ordinal", "interval_ordinal", "label_version")]
    create_table(
        "ledger_usage", number_column("posting"), *of_interval, small_column("direction"), *_counts(), key=entry, options=_CLUSTERED
    )
    corrected = [number_column("corrected_posting"), reference_column("corrected_ordinal")]
    corrections = [number_column("posting"), reference_column("ordinal"), *corrected, *_counts(*_PARTS)]
    create_table("ledger_corrections", *corrections, key=entry, options=_CLUSTERED)
    create_index("ix_ledger_corrections_corrected", "ledger_corrections", ["corrected_posting", "corrected_ordinal"])


def _make_versions() -> None:
    label = [identifier_column("label_id"), *_named()]
    point = [identifier_column("point_id"), *_named(), text_column("kind", 24)]
    owner = [text_column("project_id", 255), boolean_column("shared")]
    place = [text_column(name, 255) for name in ("agent_id", "host", "place")]
    classifier = [text_column("classifier", 128), number_column("revision")]
    generation = [text_column("generation", 36), *classifier, text_column("segments", 24)]
    contents: list[Any] = [point, label, owner, place, generation]
    for name, columns in zip(_VERSIONS, contents, strict=True):
        content = sa.UniqueConstraint(*(column.name for column in columns), name=f"uq_{name}_content")
        create_table(name, reference_column("id"), *columns, content, key=("id",))
    create_index("ix_ledger_label_versions_project_id", "ledger_label_versions", ["project_id", "label_id"])


def _named() -> list[sa.Column[Any]]:
    return [text_column("name", 255), text_column("project_id", 255), boolean_column("shared")]


def _make_bins() -> None:
    label = [reference_column("label_version"), reference_column("point_version"), small_column("direction")]
    owner = [reference_column("owner"), reference_column("point_version"), small_column("direction")]
    point = [reference_column("point_version"), small_column("direction")]
    words: list[sa.Column[Any]] = [text_column(name, 24) for name in ("coverage", "reason", "segments")]
    coverage = [reference_column("point_version"), reference_column("place"), *words]
    _make_bin_table("ledger_label_bins", label, _counts())
    _make_bin_table("ledger_owner_bins", owner, _counts())
    _make_bin_table("ledger_point_bins", point, _counts(*_PARTS))
    _make_bin_table("ledger_coverage_bins", coverage, [number_column("nanoseconds"), number_column("overlapping_nanoseconds")])


def _make_bin_table(name: str, keys: list[sa.Column[Any]], sums: list[sa.Column[Any]]) -> None:
    """Make a table of sums that refuses any but whole numbers: on SQLite, a sum beyond 64 bits would become a fraction."""
    key = ("resolution", "start_at", *(column.name for column in keys))
    checks = []
    if op.get_bind().dialect.name == "sqlite":
        whole = " AND ".join(f"typeof({column.name}) = 'integer'" for column in sums)
        checks = [sa.CheckConstraint(whole, name=f"ck_{name}_whole")]
    create_table(name, small_column("resolution"), number_column("start_at"), *keys, *sums, *checks, key=key, options=_UPDATED_IN_PLACE)


def _make_spools() -> None:
    create_table(
        "ledger_spools",
        identifier_column("spool_id"),
        text_column("agent_id", 255),
        text_column("host", 255),
        *(number_column(name) for name in ("highest", "first_posted_at", "last_posted_at")),
        key=("spool_id",),
    )
    missing = [identifier_column("spool_id"), number_column("first_sequence"), number_column("last_sequence")]
    create_table("ledger_missing", *missing, key=("spool_id", "first_sequence"))
    create_table(
        "ledger_conflicts",
        identifier_column("spool_id"),
        number_column("sequence"),
        text_column("content", 128),
        text_column("agent_id", 255),
        text_column("host", 255),
        number_column("received_at"),
        text_column("sentence", 255),
        sa.Column("envelope", sa.Text().with_variant(LONGTEXT(), "mariadb", "mysql"), nullable=False),
        key=("spool_id", "sequence", "content"),
    )
