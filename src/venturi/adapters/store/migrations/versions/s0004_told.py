"""What hosts are told: the hosts of routers, line rates, at which revisions labels changed, and the digests that plans had.

Owns these columns and tables as they were when they were made, and what they hold of the time before: when labels changed is taken from
their history, the hosts of a router from the ledger. The digests of that time are worked out later, beside the server.
"""

import time
from collections import defaultdict
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.migrations.frozen_columns import (
    boolean_column,
    long_text_column,
    number_column,
    text_column,
)
from venturi.adapters.store.migrations.steps import add_column, create_index, create_table, insert_missing

revision = "0004"
down_revision = "0003"

_NAME_LENGTH = 255
_DIGEST_LENGTH = 128
_HOURLY = 3600
_HOUR = _HOURLY * 10**9
_METERED_LATELY = 30 * 24 * _HOUR
_POINTS = ("observation_points", "observation_points_history")


def upgrade() -> None:
    """Make columns and tables, and fill what is known."""
    for name in _POINTS:
        add_column(name, long_text_column("hosts"))
        add_column(name, number_column("line_rate", nullable=True))
    create_index("ix_rules_history_metering_label_id", "rules_history", ["metering_label_id"])
    _make_label_changes()
    _make_record()
    tables = sa.MetaData()
    tables.reflect(op.get_bind(), only=[*_POINTS, *_LABELLED, *_FILLED])
    _fill_label_changes(tables)
    _fill_hosts(tables)


_LABELLED = ("labels", "labels_history", "rules", "rules_history")
_FILLED = (
    "label_changes",
    "revisions",
    "revision_counter",
    "ledger_coverage_bins",
    "ledger_point_versions",
    "ledger_places",
    "ledger_intervals",
    "ledger_totals",
)


def _make_label_changes() -> None:
    create_table(
        "label_changes",
        text_column("project_id", _NAME_LENGTH),
        boolean_column("shared"),
        number_column("revision"),
        key=("project_id", "shared", "revision"),
    )
    create_index("ix_label_changes_revision", "label_changes", ["revision"])
    create_index("ix_label_changes_shared", "label_changes", ["shared", "revision"])


def _make_record() -> None:
    create_table(
        "told_state",
        number_column("id"),
        number_column("history_end"),
        number_column("worked_out"),
        number_column("recorded"),
        key=("id",),
    )
    create_table(
        "told_classifiers",
        text_column("project_id", _NAME_LENGTH),
        boolean_column("shared"),
        number_column("since"),
        text_column("classifier", _DIGEST_LENGTH),
        key=("project_id", "shared", "since", "classifier"),
    )
    create_index("ix_told_classifiers_classifier", "told_classifiers", ["classifier"])
    latest = _latest_revision()
    insert_missing("told_state", [{"id": 1, "history_end": latest, "worked_out": 0, "recorded": 0}])


def _latest_revision() -> int:
    """Give the number of the latest revision; a ledger that is upgraded without the rest of its database has none."""
    return int(op.get_bind().execute(sa.text("SELECT number FROM revision_counter")).scalar() or 0)


def _fill_label_changes(tables: sa.MetaData) -> None:
    """Note when labels or their rules changed; a rule's change is noted for every owner that its label ever had."""
    labels, labels_history, rules, rules_history = (tables.tables[name] for name in _LABELLED)
    owners = sa.union(
        sa.select(labels.c.id, labels.c.project_id, labels.c.shared),
        sa.select(labels_history.c.id, labels_history.c.project_id, labels_history.c.shared),
    ).subquery()
    own = [(labels, labels.c.valid_from), (labels_history, labels_history.c.valid_from), (labels_history, labels_history.c.valid_to)]
    ruled = [(rules, rules.c.valid_from), (rules_history, rules_history.c.valid_from), (rules_history, rules_history.c.valid_to)]
    changed = sa.union(
        *(sa.select(table.c.project_id, table.c.shared, number) for table, number in own),
        *(
            sa.select(owners.c.project_id, owners.c.shared, number).join_from(table, owners, owners.c.id == table.c.metering_label_id)
            for table, number in ruled
        ),
    )
    op.execute(sa.insert(tables.tables["label_changes"]).from_select(["project_id", "shared", "revision"], changed))


def _fill_hosts(tables: sa.MetaData) -> None:
    """Give routers the hosts that posted packets of them lately, in a revision of its own."""
    connection = op.get_bind()
    points, history, revisions = (tables.tables[name] for name in (*_POINTS, "revisions"))
    routers = set(connection.execute(sa.select(points.c.id).where(points.c.kind == "router")).scalars())
    now = time.time_ns()
    hosts: defaultdict[str, set[str]] = defaultdict(set)
    for point_id, host in _find_hosts(tables, now - _METERED_LATELY) if routers else ():
        if point_id in routers:
            hosts[point_id].add(host.lower())
    if not hosts:
        return
    number = _latest_revision() + 1
    names = [column.name for column in history.c if column.name != "valid_to"]
    for point_id, found in sorted(hosts.items()):
        itself = points.c.id == point_id
        ended = sa.select(*(points.c[name] for name in names), sa.literal(number, sa.BigInteger)).where(itself)
        connection.execute(sa.insert(history).from_select([*names, "valid_to"], ended))
        connection.execute(sa.update(points).where(itself).values(hosts=f" {' '.join(sorted(found))} ", valid_from=number))
    connection.execute(sa.insert(revisions).values(number=number, at=now, author="venturi", project_id=""))
    connection.execute(sa.update(tables.tables["revision_counter"]).values(number=number))


def _find_hosts(tables: sa.MetaData, since: int) -> Iterator[tuple[str, str]]:
    """Find the routers of which packets were posted, each with a host that did so; roll-ups tell where there is anything to look for."""
    connection = op.get_bind()
    bins, versions, places, intervals, totals = (tables.tables[name] for name in _FILLED[3:])
    metered = (
        sa.select(bins.c.point_version, bins.c.place, versions.c.point_id, places.c.host)
        .join_from(bins, versions, versions.c.id == bins.c.point_version)
        .join(places, places.c.id == bins.c.place)
        .where(bins.c.resolution == _HOURLY, bins.c.start_at >= since - _HOUR, versions.c.kind == "router")
        .distinct()
    )
    in_posting = sa.and_(totals.c.posting == intervals.c.posting, totals.c.interval_ordinal == intervals.c.ordinal)
    for version, place, point_id, host in connection.execute(metered).all():
        of_place = intervals.c.point_version == version, intervals.c.place == place, intervals.c.end_at > since
        counted = sa.select(totals.c.packets).join_from(intervals, totals, in_posting).where(*of_place, totals.c.packets > 0).limit(1)
        if connection.execute(counted).first() is not None:
            yield point_id, host
