"""The policy: who may do what, stated once, as a table.

A new operation gets a name in ``Operation`` and a row in ``POLICY``; its service asks ``require`` or ``permits`` before it acts, and its
route names the operation in its ``opt`` under ``OPERATION``. Tests take every row from here and refuse routes without one.
Nothing here knows requests or stores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from venturi.core.domain.control.principal import Principal, Role
from venturi.core.domain.errors import ForbiddenError

OPERATION = "operation"
"""The key of a route's ``opt`` under which stands its ``Operation``."""


class Operation(StrEnum):
    """What can be asked of a server; the values are the names that OpenStack's policies give, or would give."""

    DISCOVER = "discover"
    CHECK_HEALTH = "check_health"
    READ_METRICS = "get_metrics"
    SHOW_CALLER = "get_caller"

    LIST_LABELS = "get_metering_labels"
    SHOW_LABEL = "get_metering_label"
    CREATE_LABEL = "create_metering_label"
    UPDATE_LABEL = "update_metering_label"
    DELETE_LABEL = "delete_metering_label"

    LIST_RULES = "get_metering_label_rules"
    SHOW_RULE = "get_metering_label_rule"
    CREATE_RULE = "create_metering_label_rule"
    DELETE_RULE = "delete_metering_label_rule"
    REPLACE_RULES = "replace_metering_label_rules"

    APPLY = "apply"

    LIST_POINTS = "get_observation_points"
    SHOW_POINT = "get_observation_point"
    CREATE_POINT = "create_observation_point"
    UPDATE_POINT = "update_observation_point"
    DELETE_POINT = "delete_observation_point"

    READ_USAGE = "get_usage"
    READ_POINT_TOTALS = "get_point_totals"

    LIST_CONTRACTS = "get_contracts"
    SHOW_CONTRACT = "get_contract"
    CREATE_CONTRACT = "create_contract"
    UPDATE_CONTRACT = "update_contract"
    DELETE_CONTRACT = "delete_contract"
    MEASURE_CONTRACT = "measure_contract"
    LIST_MEASURES = "get_measures"
    SHOW_SAMPLES = "get_contract_samples"
    LIST_STATEMENTS = "get_statements"
    SHOW_STATEMENT = "get_statement"
    EXPORT_STATEMENT = "export_statement"
    CHECK_STATEMENT = "check_statement"
    CLOSE_STATEMENT = "close_statement"
    VOID_STATEMENT = "void_statement"
    VERIFY_STATEMENT = "verify_statement"

    EXPLAIN = "explain"
    READ_PLAN = "get_plan"
    LIST_REVISIONS = "get_revisions"
    SHOW_REVISION = "get_revision"

    POST_BATCH = "post_batch"
    SHOW_SPOOL = "get_spool"
    LIST_SPOOLS = "get_spools"
    POST_CORRECTION = "post_correction"
    LIST_POSTINGS = "get_postings"
    SHOW_POSTING = "get_posting"
    LIST_HELD = "get_held"
    ACCEPT_HELD = "accept_held"
    REJECT_HELD = "reject_held"

    LIST_ALARMS = "get_alarms"
    ACKNOWLEDGE_ALARM = "acknowledge_alarm"
    PUT_STATUS = "put_agent_status"
    LIST_AGENTS = "get_agents"
    SHOW_AGENT = "get_agent"
    FORGET_AGENT = "forget_agent"

    LIST_TOKENS = "get_tokens"
    SHOW_TOKEN = "get_token"  # noqa: S105 - the name of an operation
    CREATE_TOKEN = "create_token"  # noqa: S105 - the name of an operation
    REVOKE_TOKEN = "revoke_token"  # noqa: S105 - the name of an operation
    ROTATE_TOKEN = "rotate_token"  # noqa: S105 - the name of an operation
    LIST_TOKEN_CHANGES = "get_token_changes"  # noqa: S105 - the name of an operation


class Relation(StrEnum):
    """Whose a resource is, seen from the caller: of its own project or of another, and shared with all projects or not."""

    OWN = "own"
    OWN_SHARED = "own, shared"
    OTHER = "other"
    OTHER_SHARED = "other, shared"


Roles = frozenset[Role]

ADMINS: Roles = frozenset({Role.ADMIN})
MANAGERS: Roles = ADMINS | {Role.MANAGER}
READERS: Roles = MANAGERS | {Role.MEMBER, Role.READER}
AGENTS: Roles = ADMINS | {Role.AGENT}
MONITORS: Roles = ADMINS | {Role.MONITOR}
EVERYONE: Roles = READERS | AGENTS | MONITORS | {Role.NONE}


@dataclass(frozen=True)
class Grant:
    """The roles that may carry out an operation, by whose the resource is."""

    own: Roles
    own_shared: Roles
    other: Roles
    other_shared: Roles

    def roles(self, relation: Relation) -> Roles:
        """Give the roles for one relation."""
        return {
            Relation.OWN: self.own,
            Relation.OWN_SHARED: self.own_shared,
            Relation.OTHER: self.other,
            Relation.OTHER_SHARED: self.other_shared,
        }[relation]


POLICY: Mapping[Operation, Grant] = {
    #                                own       own, shared  other    other, shared
    Operation.DISCOVER: Grant(EVERYONE, EVERYONE, EVERYONE, EVERYONE),
    Operation.CHECK_HEALTH: Grant(EVERYONE, EVERYONE, EVERYONE, EVERYONE),
    # Metrics name agents and hosts of many projects.
    Operation.READ_METRICS: Grant(MONITORS, MONITORS, MONITORS, MONITORS),
    Operation.SHOW_CALLER: Grant(EVERYONE, EVERYONE, EVERYONE, EVERYONE),
    Operation.LIST_LABELS: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.SHOW_LABEL: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.CREATE_LABEL: Grant(MANAGERS, MANAGERS, ADMINS, ADMINS),
    Operation.UPDATE_LABEL: Grant(MANAGERS, MANAGERS, ADMINS, ADMINS),
    Operation.DELETE_LABEL: Grant(MANAGERS, MANAGERS, ADMINS, ADMINS),
    # A rule is its label's: own, other and shared are said of the label.
    Operation.LIST_RULES: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.SHOW_RULE: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.CREATE_RULE: Grant(MANAGERS, MANAGERS, ADMINS, ADMINS),
    Operation.DELETE_RULE: Grant(MANAGERS, MANAGERS, ADMINS, ADMINS),
    Operation.REPLACE_RULES: Grant(MANAGERS, MANAGERS, ADMINS, ADMINS),
    # Each change that is applied needs what it needs by itself, too.
    Operation.APPLY: Grant(MANAGERS, MANAGERS, ADMINS, ADMINS),
    # Whoever says what a point is says whose traffic is metered there, and no second point can be at its place.
    Operation.LIST_POINTS: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.SHOW_POINT: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.CREATE_POINT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.UPDATE_POINT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.DELETE_POINT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    # Said of the label; whoever may see usage of its own labels sees it at its own and at shared points, and that of others' shared labels
    # at its own points (``services.reports.access``).
    Operation.READ_USAGE: Grant(READERS, READERS, ADMINS, ADMINS),
    # Said of the point.
    Operation.READ_POINT_TOTALS: Grant(READERS, READERS, ADMINS, ADMINS),
    # Said of the contract, and of each member that it gets; one with members of other projects stands as shared: whoever says what it says
    # says what its readers may see of others.
    Operation.LIST_CONTRACTS: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.SHOW_CONTRACT: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.CREATE_CONTRACT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.UPDATE_CONTRACT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.DELETE_CONTRACT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.MEASURE_CONTRACT: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.LIST_MEASURES: Grant(READERS, READERS, ADMINS, ADMINS),
    # Shared are those of foreign members, unless an administrator lets readers see them.
    Operation.SHOW_SAMPLES: Grant(READERS, ADMINS, ADMINS, ADMINS),
    # Said of the contract. A statement is given away with its samples, so that stands as shared where those are not for readers.
    Operation.LIST_STATEMENTS: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.SHOW_STATEMENT: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.EXPORT_STATEMENT: Grant(READERS, ADMINS, ADMINS, ADMINS),
    # What makes a figure doubtful tells of points, agents and other projects.
    Operation.CHECK_STATEMENT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.CLOSE_STATEMENT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.VOID_STATEMENT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.VERIFY_STATEMENT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.EXPLAIN: Grant(READERS, READERS, ADMINS, ADMINS),
    # A plan holds labels of many projects; an agent reads that of its own host alone.
    Operation.READ_PLAN: Grant(AGENTS, AGENTS, AGENTS, AGENTS),
    # A batch is usage of many projects; an agent posts its own, and asks for its own spools alone.
    Operation.POST_BATCH: Grant(AGENTS, AGENTS, AGENTS, AGENTS),
    Operation.SHOW_SPOOL: Grant(AGENTS, AGENTS, AGENTS, AGENTS),
    Operation.LIST_SPOOLS: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.POST_CORRECTION: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.LIST_POSTINGS: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.SHOW_POSTING: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    # Said of the point or label that an alarm is about; those of agents and hosts are of no project.
    Operation.LIST_ALARMS: Grant(READERS, READERS, ADMINS, ADMINS),
    Operation.ACKNOWLEDGE_ALARM: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    # An agent tells of itself alone.
    Operation.PUT_STATUS: Grant(AGENTS, AGENTS, AGENTS, AGENTS),
    Operation.LIST_AGENTS: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.SHOW_AGENT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.FORGET_AGENT: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.LIST_HELD: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.ACCEPT_HELD: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.REJECT_HELD: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.LIST_REVISIONS: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.SHOW_REVISION: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.LIST_TOKENS: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.SHOW_TOKEN: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.CREATE_TOKEN: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.REVOKE_TOKEN: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.ROTATE_TOKEN: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
    Operation.LIST_TOKEN_CHANGES: Grant(ADMINS, ADMINS, ADMINS, ADMINS),
}
"""Every operation and the roles that it needs."""


def relation_of(caller: Principal, project_id: str | None, *, shared: bool = False) -> Relation:
    """Tell whose a resource of ``project_id`` is, None for the caller's own project."""
    if project_id is None or project_id == caller.project_id:
        return Relation.OWN_SHARED if shared else Relation.OWN
    return Relation.OTHER_SHARED if shared else Relation.OTHER


def permits(caller: Principal, operation: Operation, project_id: str | None = None, *, shared: bool = False) -> bool:
    """Tell whether the caller may do this to a resource of ``project_id``, None for the caller's own project."""
    roles = POLICY[operation].roles(relation_of(caller, project_id, shared=shared))
    return bool(roles & (caller.roles or {Role.NONE}))


def require(caller: Principal, operation: Operation, project_id: str | None = None, *, shared: bool = False) -> None:
    """Raise ``ForbiddenError``, in the words of OpenStack's policies, unless ``permits`` agrees."""
    if not permits(caller, operation, project_id, shared=shared):
        message = f"rule:{operation} is disallowed by policy"
        raise ForbiddenError(message)


def listed_project(caller: Principal, operation: Operation) -> str | None:
    """Give the only project whose resources a list may show to the caller, None for all projects.

    Raises ``ForbiddenError`` if it may show none.
    """
    require(caller, operation)
    return None if POLICY[operation].other & caller.roles else caller.project_id
