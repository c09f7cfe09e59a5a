"""The collections of resources that a server keeps: where each lies, and what its resources are made of.

Owns names on the wire. Asking for resources belongs to ``resources``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from venturi.core.domain.errors import (
    AgentNotFoundError,
    AlarmNotFoundError,
    ContractNotFoundError,
    EntryNotFoundError,
    LabelNotFoundError,
    NotFoundError,
    PointNotFoundError,
    RevisionNotFoundError,
    RuleNotFoundError,
    StatementNotFoundError,
    TokenNotFoundError,
)


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Resources of one sort.

    ``plural`` is the key of their list in an answer, ``singular`` the key around one of them, None where nothing is around it.
    ``change_path`` is where changes go, None for what cannot be changed; ``columns`` are the attributes, ``short`` those that a list gives
    programs unless told otherwise, ``table`` those that it shows people, ordered by ``order``, ``details`` what only a resource shown by
    itself may have. ``derived`` columns are made of the others. Without ``named``, a resource is found by id alone.
    """

    noun: str
    path: str
    plural: str
    missing: type[NotFoundError]
    columns: tuple[str, ...]
    short: tuple[str, ...]
    singular: str | None = None
    change_path: str | None = None
    named: bool = True
    details: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()

    @property
    def listed(self) -> tuple[str, ...]:
        """The columns that a long list shows, those shown unasked first."""
        return tuple(dict.fromkeys((*self.short, *self.columns)))

    @property
    def known(self) -> tuple[str, ...]:
        """The columns that a list can show."""
        return tuple(dict.fromkeys((*self.listed, *self.derived)))


LABELS = Collection(
    noun="label",
    path="/v2.0/metering/metering-labels",
    plural="metering_labels",
    singular="metering_label",
    change_path="/v1/labels",
    missing=LabelNotFoundError,
    columns=("id", "name", "description", "shared", "project_id"),
    short=("id", "name", "description", "shared"),
    table=("name", "description", "shared", "project_id"),
    order=("name", "project_id"),
)

RULES = Collection(
    noun="rule",
    path="/v2.0/metering/metering-label-rules",
    plural="metering_label_rules",
    singular="metering_label_rule",
    missing=RuleNotFoundError,
    columns=(
        "id",
        "metering_label_id",
        "direction",
        "excluded",
        "source_ip_prefix",
        "destination_ip_prefix",
        "remote_ip_prefix",
    ),
    short=("id", "direction", "excluded", "source_ip_prefix", "destination_ip_prefix", "remote_ip_prefix"),
    table=("id", "label", "direction", "matches", "excluded"),
    order=("label", "direction", "excluded", "matches"),
    derived=("label", "matches"),
    named=False,
)

_PLACE = (
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
)

POINTS = Collection(
    noun="observation point",
    path="/v1/observation-points",
    plural="observation_points",
    change_path="/v1/observation-points",
    missing=PointNotFoundError,
    columns=("id", "name", "kind", "traffic", "shared", "project_id", *_PLACE, "line_rate", "boundary"),
    short=("id", "name", "kind", "traffic", "shared", "place"),
    table=("name", "kind", "place", "traffic", "shared", "project_id"),
    order=("name", "place"),
    derived=("place",),
)

CONTRACTS = Collection(
    noun="contract",
    path="/v1/contracts",
    plural="contracts",
    missing=ContractNotFoundError,
    columns=(
        "id",
        "name",
        "project_id",
        "direction",
        "zone",
        "period",
        "first_day",
        "begins_at",
        "ends_at",
        "boundary",
        "members",
        "measure",
        "unit",
        "decimals",
        "rounding",
        "currency",
        "minimum_charge",
        "credits",
        "accepted_overlap",
        "samples_visible",
        "version",
        "since",
    ),
    short=("id", "name", "project_id", "direction", "boundary", "unit", "currency", "ends_at"),
    table=("name", "project_id", "direction", "boundary", "unit", "currency", "ends_at"),
    order=("name", "project_id"),
    details=("versions",),
)

STATEMENTS = Collection(
    noun="statement",
    path="/v1/statements",
    plural="statements",
    missing=StatementNotFoundError,
    columns=(
        "number",
        "contract",
        "contract_id",
        "project_id",
        "kind",
        "period",
        "total",
        "currency",
        "posting",
        "closed_at",
        "closed_by",
        "voids",
        "voided_by",
        "digest",
        "signing_key",
    ),
    short=("number", "contract", "project_id", "kind", "period", "total", "currency", "voided_by"),
    table=("number", "contract", "project_id", "kind", "period", "total", "currency", "voided_by"),
    order=("number",),
    named=False,
)

TOKENS = Collection(
    noun="token",
    path="/v1/tokens",
    plural="tokens",
    missing=TokenNotFoundError,
    columns=(
        "id",
        "name",
        "project_id",
        "role",
        "agent_id",
        "host",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ),
    short=("id", "name", "project_id", "role", "expires_at", "revoked_at"),
    table=("id", "name", "project_id", "role", "created_at", "last_used_at", "ends"),
    order=("name", "created_at"),
    derived=("ends",),
    details=("secret",),
)

TOKEN_CHANGES = Collection(
    noun="change of a token",
    path="/v1/token-changes",
    plural="token_changes",
    missing=TokenNotFoundError,
    columns=(
        "number",
        "at",
        "change",
        "token_id",
        "name",
        "project_id",
        "role",
        "agent_id",
        "host",
        "author",
        "author_project_id",
        "author_token_id",
    ),
    short=("number", "at", "change", "token_id", "name", "role", "author", "author_token_id"),
    named=False,
)

REVISIONS = Collection(
    noun="revision",
    path="/v1/revisions",
    plural="revisions",
    missing=RevisionNotFoundError,
    columns=("number", "at", "author", "project_id"),
    short=("number", "at", "author", "project_id"),
    table=("number", "at", "author", "project_id"),
    details=("changes",),
    named=False,
)

ALARMS = Collection(
    noun="alarm",
    path="/v1/alarms",
    plural="alarms",
    missing=AlarmNotFoundError,
    columns=(
        "id",
        "kind",
        "state",
        "subject",
        "sentence",
        "agent_id",
        "host",
        "observation_point_id",
        "project_id",
        "count",
        "first_seen_at",
        "last_seen_at",
        "cleared_at",
        "acknowledged_at",
        "acknowledged_by",
    ),
    short=("id", "kind", "state", "subject", "sentence", "count", "last_seen_at", "acknowledged_by"),
    table=("id", "state", "kind", "sentence", "count", "last_seen_at"),
    named=False,
)

AGENTS = Collection(
    noun="agent",
    path="/v1/agents",
    plural="agents",
    missing=AgentNotFoundError,
    columns=(
        "agent_id",
        "host",
        "state",
        "reported_at",
        "last_posted_at",
        "version",
        "driver",
        "phase",
        "problem",
        "report_interval_seconds",
        "written_at",
        "plan_revision",
        "oldest_undelivered",
        "clock_offset_seconds",
        "spool",
        "places",
        "refused_batches",
        "threads",
    ),
    short=("agent_id", "host", "state", "version", "driver", "phase", "reported_at", "last_posted_at", "oldest_undelivered"),
    table=("agent_id", "host", "state", "driver", "phase", "reported_at", "oldest_undelivered"),
    order=("agent_id",),
)


HELD = Collection(
    noun="held interval",
    path="/v1/held",
    plural="held",
    missing=EntryNotFoundError,
    columns=(
        "posting",
        "ordinal",
        "reason",
        "decision",
        "decided_by",
        "agent_id",
        "host",
        "observation_point_id",
        "observation_point_name",
        "project_id",
        "label_id",
        "label_name",
        "place",
        "start",
        "end",
        "coverage",
        "packets",
        "octets",
        "entries",
        "classifier",
        "revision",
    ),
    short=("posting", "ordinal", "reason", "agent_id", "observation_point_id", "start", "end", "octets"),
    table=("interval", "reason", "agent_id", "observation_point_name", "start", "end", "octets"),
    derived=("interval",),
    named=False,
)


@dataclass(frozen=True)
class Reference:
    """A resource that a command names by its id or, where it has one, by its name."""

    collection: Collection
    text: str


@dataclass(frozen=True, kw_only=True)
class ListRequest:
    """Which resources of a collection are asked for: those that pass ``filters``, the first ``limit`` or all.

    ``references`` are filters whose values are ids of other resources. ``long`` asks for all columns.
    """

    collection: Collection
    filters: tuple[tuple[str, str], ...] = ()
    references: Mapping[str, Reference] = field(default_factory=dict)
    limit: int | None = None
    long: bool = False


Attributes = Mapping[str, object]
"""Attributes of a resource on the wire; a value may be a ``Reference``, which stands for the id of what it names."""
