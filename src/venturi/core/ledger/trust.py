"""Why the ledger does not believe an interval.

Owns the reasons. What is believed is for the checks that name them.
"""

from enum import StrEnum


class HeldReason(StrEnum):
    """Why an interval is held: sealed with its posting, but in no sum and in no report."""

    UNTOLD_POINT = "untold_point"
    """The point was in no plan of the host."""
    UNTOLD_LABEL = "untold_label"
    """The label did not apply at the point, as the host was told."""
    UNKNOWN_CLASSIFIER = "unknown_classifier"
    """The classifier was not in force at the point when the host was told of it."""
    UNKNOWN_REVISION = "unknown_revision"
    """The database does not have the revision, as after a restore of an older copy."""
    OTHER_HOST = "other_host"
    """Other hosts meter the router."""
    OVERLAPPING = "overlapping"
    """The interval overlaps another one of its place."""
    BEFORE_PLAN = "before_plan"
    """The interval begins before the point was in a plan of the host."""
    IN_FUTURE = "in_future"
    """The interval ends in the future."""
    ABOVE_LINE_RATE = "above_line_rate"
    """The interval counts more than the point can carry."""
    TOO_LARGE = "too_large"
    """The interval would bring a sum near its highest number."""
