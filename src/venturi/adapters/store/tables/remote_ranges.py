"""Overlaps of remote prefixes: of rules to be added with each other and with those that a label has.

Owns the answer as long as the writer's lock is held. The remote prefixes that a scope (label, direction, excluded flag) has
are disjoint, so the one that begins last before the end of another decides whether that overlaps any.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from venturi.adapters.store.schema.tables import RULES
from venturi.adapters.store.tables.rows import write_range
from venturi.core.rules.given_rule import GivenRule

_FEW = 32
"""Up to this many rules, each asks the database for its neighbour; more read the ranges of their labels at once."""

_LABELS_AT_ONCE = 500

_NEIGHBOUR = (
    select(RULES.c.remote_last)
    .where(
        RULES.c.metering_label_id == bindparam("label_id"),
        RULES.c.direction == bindparam("direction"),
        RULES.c.excluded == bindparam("excluded"),
        RULES.c.remote_first <= bindparam("last"),
    )
    .order_by(RULES.c.remote_first.desc())
    .limit(1)
)

Range = tuple[str, str]
"""The first and the last address of a prefix, as columns spell them."""


class Scope(NamedTuple):
    """The rules whose remote prefixes must not overlap."""

    label_id: str
    direction: str
    excluded: bool


def find_remote_overlap(connection: Connection, rules: Sequence[GivenRule]) -> GivenRule | None:
    """Give the first rule that overlaps one that is there, or one before it in ``rules``; None if none does."""
    ranged = [(rule, _scope(rule), write_range(rule.fields.remote_ip_prefix)) for rule in rules if rule.fields.remote_ip_prefix]
    if len(ranged) <= _FEW:
        taken: defaultdict[Scope, list[Range]] = defaultdict(list)
        for rule, scope, ends in ranged:
            if _overlaps_one(taken[scope], ends) or _overlaps_stored(connection, scope, ends):
                return rule
            insort(taken[scope], ends)
        return None
    stored = _read_ranges(connection, {scope.label_id for _, scope, _ in ranged})
    return _first_of_many(stored, ranged)


def _scope(rule: GivenRule) -> Scope:
    return Scope(rule.metering_label_id, rule.fields.direction.value, bool(rule.fields.excluded))


def _overlaps_stored(connection: Connection, scope: Scope, ends: Range) -> bool:
    last = connection.execute(_NEIGHBOUR, scope._asdict() | {"last": ends[1]}).scalar()
    return last is not None and last >= ends[0]


def _overlaps_one(taken: Sequence[Range], ends: Range) -> bool:
    """Tell whether a range overlaps one of disjoint ones in order."""
    position = bisect_right(taken, ends[1], key=lambda other: other[0])
    return position > 0 and taken[position - 1][1] >= ends[0]


def _read_ranges(connection: Connection, label_ids: Iterable[str]) -> dict[Scope, list[Range]]:
    """Read the ranges of the rules that labels have, by scope."""
    ranges: defaultdict[Scope, list[Range]] = defaultdict(list)
    wanted = sorted(label_ids)
    columns = (RULES.c.metering_label_id, RULES.c.direction, RULES.c.excluded, RULES.c.remote_first, RULES.c.remote_last)
    for start in range(0, len(wanted), _LABELS_AT_ONCE):
        some = RULES.c.metering_label_id.in_(wanted[start : start + _LABELS_AT_ONCE])
        for label_id, direction, excluded, first, last in connection.execute(
            select(*columns).where(some, RULES.c.remote_first.is_not(None))
        ):
            ranges[Scope(label_id, direction, excluded)].append((first, last))
    return ranges


def _first_of_many(stored: Mapping[Scope, list[Range]], ranged: Sequence[tuple[GivenRule, Scope, Range]]) -> GivenRule | None:
    """Sweep all ranges of each scope in order; only if two overlap, find which rule is the first to do so."""
    scopes: defaultdict[Scope, list[Range]] = defaultdict(list)
    for _, scope, ends in ranged:
        scopes[scope].append(ends)
    overlapping = {scope for scope, ranges in scopes.items() if not _disjoint([*stored.get(scope, ()), *ranges])}
    if not overlapping:
        return None
    taken = {scope: sorted(stored.get(scope, ())) for scope in overlapping}
    for rule, scope, ends in ranged:
        if scope in overlapping:
            if _overlaps_one(taken[scope], ends):
                return rule
            insort(taken[scope], ends)
    return None


def _disjoint(ranges: list[Range]) -> bool:
    """Tell whether no two ranges overlap; prefixes nest or are disjoint, so neighbours decide."""
    ranges.sort()
    return all(before[1] < after[0] for before, after in pairwise(ranges))
