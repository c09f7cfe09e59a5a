"""Wire forms of the ledger: acknowledgements, spools, postings with their entries, corrections.

Owns their fields and how rows of the ledger are spelled. The form of a batch is that of ``core.ledger.batch``.
"""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from venturi.adapters.store.ledger.corrected import COUNT_NAMES
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
)
from venturi.core.domain.direction import COUNTED_DIRECTIONS, Direction
from venturi.core.domain.interval import format_time
from venturi.core.domain.point import boundary_of
from venturi.core.ledger.roll_ups import PointCounts
from venturi.interfaces.api.v1.forms.texts import Name, TimeText
from venturi.services.ledger.correcting import CorrectionLine
from venturi.services.ledger.reading import SpoolState

MOST_LINES = 1_000
"""How many entries one correction may name."""

_LIMIT = (1 << 63) - 1
PostingNumber = Annotated[int, Meta(ge=1, le=10**18, description="The number of a posting; numbers follow the order of commits.")]
Ordinal = Annotated[int, Meta(ge=0, le=(1 << 31) - 1, description="The place of an entry in its posting, from 0.")]
Difference = Annotated[int, Meta(ge=-_LIMIT, le=_LIMIT, description="What is to be added; it may be negative.")]
Range = Annotated[list[int], Meta(min_length=2, max_length=2, description="The first and the last sequence that are missing.")]


class AcknowledgementForm(Struct, kw_only=True):
    """The ledger's word that a batch is on stable storage; the same whenever the batch comes, but for ``missing``."""

    agent_id: str
    spool_id: str
    sequence: int
    digest: str
    posting: PostingNumber
    missing: Annotated[int, Meta(description="How many batches of the spool the ledger lacks, of those before its highest.")]


class SpoolForm(Struct, kw_only=True):
    """What the ledger has of a spool: its highest sequence, the digest of that batch, and what is missing below; 0 and "" for nothing."""

    agent_id: str
    spool_id: str
    host: str
    highest: int
    digest: str
    missing: list[Range]
    conflicts: Annotated[int, Meta(description="How many batches contradict what is posted, and are kept aside.")]
    first_posted_at: TimeText | None
    last_posted_at: TimeText | None


class SpoolList(Struct, kw_only=True):
    """A page of spools; ``next`` is the marker of the page after it, null on the last."""

    spools: list[SpoolForm]
    next: str | None


class PostingForm(Struct, kw_only=True):
    """A posting: a batch, a correction, or the acceptance or rejection of what is held.

    ``linked`` tells whether the batch before it in its spool is posted too.
    """

    number: PostingNumber
    kind: str
    posted_at: TimeText
    entries: int
    seal: str
    agent_id: str | None
    host: str | None
    spool_id: str | None
    sequence: int | None
    sealed_at: TimeText | None
    previous: str | None
    digest: str | None
    linked: bool | None
    author: str | None
    reason: str | None
    correction_id: str | None


class PostingList(Struct, kw_only=True):
    """A page of postings; ``next`` is the marker of the page after it, null on the last."""

    postings: list[PostingForm]
    next: str | None


class CoverageEntry(Struct, kw_only=True, tag="coverage", tag_field="kind"):
    """A point between two readings: where, by what, and how much of the truth is known."""

    ordinal: Ordinal
    observation_point_id: str
    observation_point_name: str
    boundary: str
    project_id: str
    shared: bool
    place: str
    start: TimeText
    end: TimeText
    coverage: str
    reason: str
    overlapping: bool
    held: Annotated[bool, Meta(description="Whether it counts nowhere since it failed a check; what was accepted is entered again.")]
    generation: str
    classifier: str
    revision: int
    segments: str


class TotalsEntry(Struct, kw_only=True, tag="totals", tag_field="kind"):
    """All that was counted at a point in one direction, over the interval of the coverage entry ``interval``."""

    ordinal: Ordinal
    interval: Ordinal
    direction: Direction
    packets: int
    octets: int
    unmatched_packets: int
    unmatched_octets: int
    unattributed_packets: int
    unattributed_octets: int
    several_packets: int
    several_octets: int
    shared_packets: int
    shared_octets: int


class UsageEntry(Struct, kw_only=True, tag="usage", tag_field="kind"):
    """What one label counted in one direction, over the interval of the coverage entry ``interval``."""

    ordinal: Ordinal
    interval: Ordinal
    label_id: str
    label_name: str
    project_id: str
    shared: bool
    direction: Direction
    packets: int
    octets: int


class ProjectUsageEntry(Struct, kw_only=True, tag="project_usage", tag_field="kind"):
    """What a project used in one direction, each packet once, and alone, over the interval of the coverage entry ``interval``."""

    ordinal: Ordinal
    interval: Ordinal
    project_id: str
    direction: Direction
    packets: int
    octets: int
    alone_packets: int
    alone_octets: int


class CorrectionEntry(Struct, kw_only=True, tag="correction", tag_field="kind"):
    """What is added to the counts of another entry."""

    ordinal: Ordinal
    corrected_posting: PostingNumber
    corrected_ordinal: Ordinal
    packets: int
    octets: int
    unmatched_packets: int
    unmatched_octets: int
    unattributed_packets: int
    unattributed_octets: int
    several_packets: int
    several_octets: int
    shared_packets: int
    shared_octets: int
    alone_packets: int
    alone_octets: int


class HeldEntry(Struct, kw_only=True, tag="held", tag_field="kind"):
    """What became of an interval, which posting and ordinal name: held, for a reason, or accepted or rejected later."""

    ordinal: Ordinal
    held_posting: PostingNumber
    held_ordinal: Ordinal
    decision: str
    reason: str


EntryForm = CoverageEntry | TotalsEntry | UsageEntry | ProjectUsageEntry | CorrectionEntry | HeldEntry


class PostingWithEntries(PostingForm, kw_only=True):
    """A posting and a page of its entries; ``next`` is the marker of the page after it, null on the last."""

    page: list[EntryForm]
    next: str | None


class CorrectionLineForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be added to the counts of one entry: that of a label has packets and octets, that of a project those it used alone too."""

    posting: PostingNumber
    ordinal: Ordinal
    packets: Difference = 0
    octets: Difference = 0
    unmatched_packets: Difference = 0
    unmatched_octets: Difference = 0
    unattributed_packets: Difference = 0
    unattributed_octets: Difference = 0
    several_packets: Difference = 0
    several_octets: Difference = 0
    shared_packets: Difference = 0
    shared_octets: Difference = 0
    alone_packets: Difference = 0
    alone_octets: Difference = 0


class NewCorrectionForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """A correction to be posted: why, and of which entries."""

    id: Annotated[UUID, Meta(description="Chosen by the caller: a correction of the same id is posted once.")] | None = None
    reason: Name
    entries: Annotated[list[CorrectionLineForm], Meta(min_length=1, max_length=MOST_LINES)]


def correction_lines(form: NewCorrectionForm) -> list[CorrectionLine]:
    """Read the lines of a correction."""
    return [CorrectionLine(line.posting, line.ordinal, [getattr(line, name) for name in COUNT_NAMES]) for line in form.entries]


def spool_form(state: SpoolState) -> SpoolForm:
    """Spell a spool as it is answered."""
    spool = state.spool
    return SpoolForm(
        agent_id=spool.agent_id,
        spool_id=spool.spool_id,
        host=spool.host,
        highest=spool.highest,
        digest=spool.digest,
        missing=[list(both_ends) for both_ends in spool.missing],
        conflicts=state.conflicts,
        first_posted_at=format_time(spool.first_posted_at) if spool.highest else None,
        last_posted_at=format_time(spool.last_posted_at) if spool.highest else None,
    )


def posting_fields(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of postings
    """Spell a posting as it is answered."""
    fields = dict(row._mapping)  # noqa: SLF001 - the public name of a row's columns
    sealed_at = fields["sealed_at"]
    linked = fields["linked"]
    return fields | {
        "number": fields.pop("posting"),
        "posted_at": format_time(fields["posted_at"]),
        "sealed_at": None if sealed_at is None else format_time(sealed_at),
        "linked": None if linked is None else bool(linked),
    }


def entry_form(table: object, row: Any) -> EntryForm:  # noqa: ANN401 - a row of the table
    """Spell an entry as it is answered."""
    if table is LEDGER_INTERVALS:
        return _coverage_entry(row)
    fields = dict(row._mapping)  # noqa: SLF001 - the public name of a row's columns
    if table is LEDGER_CORRECTIONS:
        return CorrectionEntry(**_chosen(fields, ("ordinal", "corrected_posting", "corrected_ordinal", *COUNT_NAMES)))
    if table is LEDGER_HELD:
        return HeldEntry(**_chosen(fields, ("ordinal", "held_posting", "held_ordinal", "decision", "reason")))
    placed = {"interval": row.interval_ordinal, "direction": COUNTED_DIRECTIONS[row.direction]}
    if table is LEDGER_TOTALS:
        return TotalsEntry(**placed, **_chosen(fields, ("ordinal", *PointCounts._fields)))
    if table is LEDGER_PROJECT_USAGE:
        names = "ordinal", "project_id", "packets", "octets", "alone_packets", "alone_octets"
        return ProjectUsageEntry(**placed, **_chosen(fields, names))
    label = _chosen(fields, ("ordinal", "label_id", "project_id", "packets", "octets"))
    return UsageEntry(**placed, label_name=row.name, shared=bool(row.shared), **label)


def _coverage_entry(row: Any) -> CoverageEntry:  # noqa: ANN401 - a row of intervals with what it names
    names = ("ordinal", "project_id", "coverage", "reason", "classifier", "revision", "segments")
    return CoverageEntry(
        place=row.device,
        generation=row.counted_by,
        observation_point_id=row.point_id,
        observation_point_name=row.name,
        boundary=boundary_of(row.kind, row.point_id, row.boundary),
        shared=bool(row.shared),
        overlapping=bool(row.overlapping),
        held=bool(row.held),
        start=format_time(row.start_at),
        end=format_time(row.end_at),
        **_chosen(dict(row._mapping), names),  # noqa: SLF001 - the public name of a row's columns
    )


def _chosen(fields: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: fields[name] for name in names}
