"""Coverage: how much of the truth the counts of a point and interval are.

Owns the states and the reasons of what is missing. How the states of several records become that of an interval is for the ledger.
"""

from enum import StrEnum


class Coverage(StrEnum):
    """What is known of an interval at an observation point; from ``COMPLETE`` to ``GAP``, each is worse than the one before."""

    COMPLETE = "complete"
    """Every packet was counted, in this interval."""
    INTERPOLATED = "interpolated"
    """Every packet was counted, but over a longer time than the interval: its share is in proportion."""
    PARTIAL = "partial"
    """Some packets passed uncounted, for a reason that is given; the counts are of the others."""
    GAP = "gap"
    """What passed is not known; counts, if there are any, are the part of it that is."""


class CoverageReason(StrEnum):
    """Why coverage is not complete; new reasons come at the end, since the ledger stores their places."""

    NONE = ""
    BYPASS = "bypass"
    """Packets took a way around the hook: a flowtable, an offload, a bridge."""
    DEVICE_GONE = "device_gone"
    """The device or its namespace went away, or was another for a while."""
    COUNTERS_LOST = "counters_lost"
    """The counters in the kernel are gone: a restart of the host, or somebody removed them."""
    FOREIGN_COUNTERS = "foreign_counters"
    """The counters in the kernel were found with a history that this agent's spool does not know."""
    SPOOL_ROLLED_BACK = "spool_rolled_back"
    """The agent's spool is older than what it has delivered."""
    NOT_METERED = "not_metered"
    """The point was not metered yet, or its driver could not be applied."""
    MISSING = "missing"
    """Nothing was posted about a part of the interval: its batches are outstanding, or nobody metered then."""
    PENDING = "pending"
    """The interval is not over, or its last records are on their way."""
    OVERLAPPING = "overlapping"
    """Another agent metered the point at the same time, so packets may be counted twice; a reason that even complete coverage may have."""
    CLOCK_STEP = "clock_step"
    """The agent's clock was wrong: what passed was recorded under times at which it did not."""
    HELD = "held"
    """What was posted about a part of the interval is held, and nothing else is known of it."""
