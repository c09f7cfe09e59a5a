"""The tables of the ledger: postings, their entries, and the roll-ups beside them.

Owns which columns there are and what they are named. Nothing here refers to a live label, rule or point: versions keep identity, name
and project as they were, and rows name them by small numbers. Entries are only ever added, which triggers of the database enforce too
(``migrations.versions.s0002_ledger``). A roll-up is a sum of entries over a bin: ``resolution`` stands for its length (``RESOLUTIONS``),
``start_at`` is its beginning. Times are nanoseconds since the UTC epoch, directions are codes of ``DirectionCode``.
"""

from typing import Any

from sqlalchemy import Column, Index, Table, UniqueConstraint
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.types import Text

from venturi.adapters.store.schema.columns import (
    BOUNDARY_LENGTH,
    DIGEST_LENGTH,
    IDENTIFIER_LENGTH,
    NAME_LENGTH,
    TABLE_OPTIONS,
    bin_start_column,
    boolean_column,
    identifier_column,
    number_column,
    reference_column,
    small_column,
    text_column,
)
from venturi.adapters.store.schema.metadata import METADATA
from venturi.core.ledger.bins import BIN, DAY, HOUR

RESOLUTIONS = {BIN: 300, HOUR: 3600, DAY: 0}
"""What the column ``resolution`` holds for bins of each length: seconds, but 0 for a day, whose seconds 16 bits do not hold."""

WORD_LENGTH = 24
"""The longest word of an enumeration, in characters."""

_CLUSTERED = TABLE_OPTIONS | {"sqlite_with_rowid": False}
_UPDATED_IN_PLACE = _CLUSTERED | {"postgresql_with": {"fillfactor": 70}}
"""On PostgreSQL, room for the next version of a row on its own page."""

_POINT_PARTS = ("unmatched_", "unattributed_", "several_", "shared_")


def _counts(*kinds: str) -> list[Column[Any]]:
    return [number_column(f"{kind}{unit}") for kind in ("", *kinds) for unit in ("packets", "octets")]


LEDGER_STATE = Table(
    "ledger_state", METADATA, number_column("id", key=True), number_column("posting"), number_column("removable"), **TABLE_OPTIONS
)
"""One row: the number of the latest posting, and up to which number postings may be removed (0: none). Whoever posts locks it first."""

LEDGER_ROLLER = Table(
    "ledger_roller",
    METADATA,
    number_column("id", key=True),
    number_column("rolled"),
    number_column("epoch"),
    text_column("holder", NAME_LENGTH),
    number_column("until"),
    number_column("rebuilding", nullable=True),
    number_column("closed_until"),
    **TABLE_OPTIONS,
)
"""One row: the watermark, which is the posting up to which roll-ups hold all entries; and who may move it until when, under a number that
grows each time that another may. ``rebuilding`` is the time from which on roll-ups are still to be made anew, null unless that goes on.
``closed_until`` is the border of an hour: before it, hours and the days that end by it are in the roll-ups, and none are from it on; there,
5 minutes are summed. Postings do not touch this row."""

LEDGER_POSTINGS = Table(
    "ledger_postings",
    METADATA,
    number_column("posting", key=True),
    text_column("kind", WORD_LENGTH),
    number_column("posted_at"),
    reference_column("entries"),
    text_column("seal", DIGEST_LENGTH),
    text_column("agent_id", NAME_LENGTH, nullable=True),
    text_column("host", NAME_LENGTH, nullable=True),
    text_column("spool_id", IDENTIFIER_LENGTH, nullable=True),
    number_column("sequence", nullable=True),
    number_column("sealed_at", nullable=True),
    text_column("previous", DIGEST_LENGTH, nullable=True),
    text_column("digest", DIGEST_LENGTH, nullable=True),
    text_column("author", NAME_LENGTH, nullable=True),
    text_column("reason", NAME_LENGTH, nullable=True),
    text_column("correction_id", IDENTIFIER_LENGTH, nullable=True),
    UniqueConstraint("spool_id", "sequence", name="uq_ledger_postings_sequence"),
    UniqueConstraint("correction_id", name="uq_ledger_postings_correction_id"),
    **TABLE_OPTIONS,
)
"""A batch, with its place in the chain of its spool; a correction, with its author, its reason and the id by which it is posted once; or
the acceptance or rejection of what is held, with author and reason. ``seal`` covers all that it added and the seal before
(``core.ledger.seal``)."""

LEDGER_INTERVALS = Table(
    "ledger_intervals",
    METADATA,
    number_column("posting", key=True),
    reference_column("ordinal", key=True),
    reference_column("point_version"),
    reference_column("place"),
    reference_column("generation"),
    number_column("start_at"),
    number_column("end_at"),
    text_column("coverage", WORD_LENGTH),
    text_column("reason", WORD_LENGTH),
    boolean_column("overlapping"),
    **_CLUSTERED,
)
"""Entries of coverage: a point between two readings, by their true times; ``overlapping`` where another agent metered it too."""
Index("ix_ledger_intervals_end_at", LEDGER_INTERVALS.c.point_version, LEDGER_INTERVALS.c.end_at)

LEDGER_TOTALS = Table(
    "ledger_totals",
    METADATA,
    number_column("posting", key=True),
    reference_column("ordinal", key=True),
    reference_column("interval_ordinal"),
    small_column("direction"),
    *_counts(*_POINT_PARTS),
    **_CLUSTERED,
)
"""Entries of a point's totals in one direction, over the interval that ``interval_ordinal`` names in the same posting; parts of them are
unmatched, unattributed, ``several`` and ``shared`` (``core.ledger.batch.DirectionTotals``)."""

LEDGER_USAGE = Table(
    "ledger_usage",
    METADATA,
    number_column("posting", key=True),
    reference_column("ordinal", key=True),
    reference_column("interval_ordinal"),
    reference_column("label_version"),
    small_column("direction"),
    *_counts(),
    **_CLUSTERED,
)
"""Entries of usage: one label in one direction, over the interval that ``interval_ordinal`` names in the same posting. PostgreSQL and
MariaDB have them in partitions (``rolling.partitions``), and PostgreSQL a summary of postings (BRIN) for a key, which takes no room."""

LEDGER_PROJECT_USAGE = Table(
    "ledger_project_usage",
    METADATA,
    number_column("posting", key=True),
    reference_column("ordinal", key=True),
    reference_column("interval_ordinal"),
    reference_column("owner"),
    small_column("direction"),
    *_counts("alone_"),
    **_CLUSTERED,
)
"""Entries of what a project used in one direction, each packet once, and of it alone (``core.ledger.batch.ProjectUsage``), over the
interval that ``interval_ordinal`` names in the same posting; ``owner`` stands for the project's own labels."""

LEDGER_CORRECTIONS = Table(
    "ledger_corrections",
    METADATA,
    number_column("posting", key=True),
    reference_column("ordinal", key=True),
    number_column("corrected_posting"),
    reference_column("corrected_ordinal"),
    *_counts(*_POINT_PARTS, "alone_"),
    **_CLUSTERED,
)
"""Entries that correct an entry of usage, of labels or projects, or of totals: what is to be added to its counts, which may be negative."""
Index("ix_ledger_corrections_corrected", LEDGER_CORRECTIONS.c.corrected_posting, LEDGER_CORRECTIONS.c.corrected_ordinal)

LEDGER_HELD = Table(
    "ledger_held",
    METADATA,
    number_column("posting", key=True),
    reference_column("ordinal", key=True),
    number_column("held_posting"),
    reference_column("held_ordinal"),
    text_column("decision", WORD_LENGTH),
    text_column("reason", WORD_LENGTH),
    reference_column("entries"),
    reference_column("gap_version"),
    **_CLUSTERED,
)
"""Entries that say what became of an interval, which ``held_posting`` and ``held_ordinal`` name: it is held when it is posted, for
a reason (``core.ledger.trust``), and accepted or rejected later. ``entries`` is how many it has; ``gap_version`` is the version of
its point at which its time is a gap, 0 for none."""
Index("ix_ledger_held_held", LEDGER_HELD.c.held_posting, LEDGER_HELD.c.held_ordinal)

LEDGER_POINT_VERSIONS = Table(
    "ledger_point_versions",
    METADATA,
    reference_column("id", key=True),
    identifier_column("point_id", key=False),
    text_column("name", NAME_LENGTH),
    text_column("project_id", NAME_LENGTH),
    boolean_column("shared"),
    text_column("kind", WORD_LENGTH),
    boolean_column("held"),
    text_column("boundary", BOUNDARY_LENGTH),
    UniqueConstraint("point_id", "name", "project_id", "shared", "kind", "held", "boundary", name="uq_ledger_point_versions_content"),
    **TABLE_OPTIONS,
)
"""Observation points as they were when they were metered. Entries that are held name versions of their own, which are marked ``held``:
what they call a point or a label is in no report. An empty ``boundary`` is the default (``core.domain.point.boundary_of``)."""

LEDGER_LABEL_VERSIONS = Table(
    "ledger_label_versions",
    METADATA,
    reference_column("id", key=True),
    identifier_column("label_id", key=False),
    text_column("name", NAME_LENGTH),
    text_column("project_id", NAME_LENGTH),
    boolean_column("shared"),
    boolean_column("held"),
    UniqueConstraint("label_id", "name", "project_id", "shared", "held", name="uq_ledger_label_versions_content"),
    **TABLE_OPTIONS,
)
"""Labels as they were when their traffic was counted; those of entries that are held are marked ``held``."""
Index("ix_ledger_label_versions_project_id", LEDGER_LABEL_VERSIONS.c.project_id, LEDGER_LABEL_VERSIONS.c.label_id)

LEDGER_OWNERS = Table(
    "ledger_owners",
    METADATA,
    reference_column("id", key=True),
    text_column("project_id", NAME_LENGTH),
    boolean_column("shared"),
    UniqueConstraint("project_id", "shared", name="uq_ledger_owners_content"),
    **TABLE_OPTIONS,
)
"""Whose labels are: a project, with those that it shares apart from those that it does not."""

LEDGER_PLACES = Table(
    "ledger_places",
    METADATA,
    reference_column("id", key=True),
    text_column("agent_id", NAME_LENGTH),
    text_column("host", NAME_LENGTH),
    text_column("place", NAME_LENGTH),
    UniqueConstraint("agent_id", "host", "place", name="uq_ledger_places_content"),
    **TABLE_OPTIONS,
)
"""Devices at which agents metered, as ``namespace/device`` or ``device``."""

LEDGER_GENERATIONS = Table(
    "ledger_generations",
    METADATA,
    reference_column("id", key=True),
    text_column("generation", IDENTIFIER_LENGTH),
    text_column("classifier", DIGEST_LENGTH),
    number_column("revision"),
    text_column("segments", WORD_LENGTH),
    boolean_column("parted"),
    UniqueConstraint("generation", "classifier", "revision", "segments", "parted", name="uq_ledger_generations_content"),
    **TABLE_OPTIONS,
)
"""By what was counted: a generation, its classifier's digest, the revision at which that came into force, and how segments count.
``parted`` says that what projects used was recorded too: there are entries of it for each project that used anything."""

LEDGER_LABEL_BINS = Table(
    "ledger_label_bins",
    METADATA,
    small_column("resolution", key=True),
    bin_start_column("start_at", key=True),
    reference_column("label_version", key=True),
    reference_column("point_version", key=True),
    small_column("direction", key=True),
    *_counts(),
    **_CLUSTERED,
)
"""Roll-ups of usage, in partitions on PostgreSQL and MariaDB (``rolling.partitions``). SQLite and MariaDB keep rows in the order of the
key, time first, so that those that are folded together are written side by side; a label is sought in each bin. PostgreSQL keeps them as
they come, which is in the order of time; its key has the label first, and a summary of times (BRIN) leads to all labels of some bins."""

LEDGER_OWNER_BINS = Table(
    "ledger_owner_bins",
    METADATA,
    small_column("resolution", key=True),
    number_column("start_at", key=True),
    reference_column("owner", key=True),
    reference_column("point_version", key=True),
    small_column("direction", key=True),
    *_counts("alone_", "unparted_"),
    **_UPDATED_IN_PLACE,
)
"""Roll-ups of what owners used: few rows, where those of labels are very many. ``unparted_`` is the part that was added up over labels,
which may have counted a packet several times: that of intervals that do not tell what projects used, and all that is of shared labels."""

LEDGER_POINT_BINS = Table(
    "ledger_point_bins",
    METADATA,
    small_column("resolution", key=True),
    number_column("start_at", key=True),
    reference_column("point_version", key=True),
    small_column("direction", key=True),
    *_counts(*_POINT_PARTS),
    **_UPDATED_IN_PLACE,
)
"""Roll-ups of the totals of points."""

LEDGER_COVERAGE_BINS = Table(
    "ledger_coverage_bins",
    METADATA,
    small_column("resolution", key=True),
    number_column("start_at", key=True),
    reference_column("point_version", key=True),
    reference_column("place", key=True),
    text_column("coverage", WORD_LENGTH, key=True),
    text_column("reason", WORD_LENGTH, key=True),
    text_column("segments", WORD_LENGTH, key=True),
    number_column("nanoseconds"),
    number_column("overlapping_nanoseconds"),
    **_UPDATED_IN_PLACE,
)
"""Roll-ups of coverage: for how many nanoseconds of a bin a place told of a state, and during how many another agent metered the point
too. What no row accounts for is not known."""

LEDGER_LONG_INTERVALS = Table(
    "ledger_long_intervals",
    METADATA,
    number_column("posting", key=True),
    reference_column("ordinal", key=True),
    reference_column("last_ordinal"),
    reference_column("point_version"),
    number_column("start_at"),
    number_column("end_at"),
    **_CLUSTERED,
)
"""Intervals that are in no roll-up, because they touch too many bins or no bin could hold them: whoever reads roll-ups adds the shares of
their entries (``core.ledger.long_intervals``). ``ordinal`` is the entry of coverage; those of totals and usage follow it, up to
``last_ordinal``."""
Index("ix_ledger_long_intervals_end_at", LEDGER_LONG_INTERVALS.c.end_at)

LEDGER_SPOOLS = Table(
    "ledger_spools",
    METADATA,
    identifier_column("spool_id"),
    text_column("agent_id", NAME_LENGTH),
    text_column("host", NAME_LENGTH),
    number_column("highest"),
    number_column("first_posted_at"),
    number_column("last_posted_at"),
    **TABLE_OPTIONS,
)
"""Spools that batches were posted from; a spool belongs to the agent that it came from first."""

LEDGER_MISSING = Table(
    "ledger_missing",
    METADATA,
    identifier_column("spool_id"),
    number_column("first_sequence", key=True),
    number_column("last_sequence"),
    **TABLE_OPTIONS,
)
"""Ranges of sequences, both ends included, that are outstanding below the highest of their spool."""

LEDGER_CONFLICTS = Table(
    "ledger_conflicts",
    METADATA,
    identifier_column("spool_id"),
    number_column("sequence", key=True),
    text_column("content", DIGEST_LENGTH, key=True),
    text_column("agent_id", NAME_LENGTH),
    text_column("host", NAME_LENGTH),
    number_column("received_at"),
    text_column("sentence", NAME_LENGTH),
    Column("envelope", Text().with_variant(LONGTEXT(), "mariadb", "mysql"), nullable=False),
    **TABLE_OPTIONS,
)
"""Batches that were refused because they contradict what is posted, kept aside: ``content`` is the digest of the envelope, which is kept
in MessagePack, compressed and in base64 (``ledger.conflicts``)."""

ENTRY_TABLES = (
    LEDGER_POSTINGS,
    LEDGER_INTERVALS,
    LEDGER_TOTALS,
    LEDGER_USAGE,
    LEDGER_CORRECTIONS,
    LEDGER_HELD,
    LEDGER_PROJECT_USAGE,
)
"""What is only ever added to, each row with the number of its posting."""

VERSION_TABLES = (LEDGER_POINT_VERSIONS, LEDGER_LABEL_VERSIONS, LEDGER_OWNERS, LEDGER_PLACES, LEDGER_GENERATIONS)
"""What entries and roll-ups name; only ever added to."""

SPOOL_TABLES = (LEDGER_SPOOLS, LEDGER_MISSING, LEDGER_CONFLICTS)
"""What is known of the spools that batches come from."""

ROLL_UP_TABLES = (LEDGER_LABEL_BINS, LEDGER_OWNER_BINS, LEDGER_POINT_BINS, LEDGER_COVERAGE_BINS, LEDGER_LONG_INTERVALS)
"""Sums of entries, and which entries are in no sum; both can be recomputed from the entries."""

LEDGER_TABLES = (LEDGER_STATE, LEDGER_ROLLER, *VERSION_TABLES, *ENTRY_TABLES, *ROLL_UP_TABLES, *SPOOL_TABLES)
"""The whole ledger."""
