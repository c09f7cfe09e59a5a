"""Revisions: the numbered, immutable states of labels, rules and observation points on a server."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from venturi.core.domain.interval import Nanoseconds


class ChangeKind(StrEnum):
    """What happened to a resource in a revision."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that a revision changed: ``resource`` is label, rule or observation_point."""

    resource: str
    id: str
    kind: ChangeKind


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One committed change; numbers follow the order of commits and leave no gap.

    ``author`` is the user who made it, ``project_id`` that user's project, ``at`` the time of it.
    """

    number: int
    at: Nanoseconds
    author: str
    project_id: str


class LatestRevision(NamedTuple):
    """The latest revision and its time, 0 at 0 before the first.

    The time tells one history from another: a database that was put back, by whatever means, may have gone on to the same number.
    """

    number: int
    at: Nanoseconds
