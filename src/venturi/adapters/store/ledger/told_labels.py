"""Labels as they stood in a scope since a revision: those that applied there and had rules, as plans name them.

Owns looking them up and remembering them: what stood at a revision never changes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, literal, select, union, union_all
from sqlalchemy.types import BigInteger

from venturi.adapters.store.schema.tables import LABELS, LABELS_HISTORY, RULES, RULES_HISTORY
from venturi.adapters.store.tables.label_changes import LabelScope
from venturi.core.ledger.batch import BatchLabel

_COLUMNS = ("id", "name", "project_id", "shared", "valid_from")
_ASKED_AT_ONCE = 400
_MOST_REMEMBERED = 500_000

_Standing = tuple[LabelScope, int]
_Span = tuple[int, int | None]
"""The revisions from which and, None for ever, until which something held."""


class ToldLabels:
    """Labels that were looked up, by scope and the revision since which they stood so."""

    def __init__(self) -> None:
        self._found: defaultdict[_Standing, dict[str, BatchLabel]] = defaultdict(dict)
        self._missing: defaultdict[_Standing, set[str]] = defaultdict(set)

    def found(self, scope: LabelScope, since: int) -> Mapping[str, BatchLabel]:
        """Give the labels that were looked up and were there, by id."""
        return self._found[scope, since]

    def learn(self, connection: Connection, asked: Iterable[tuple[LabelScope, int, frozenset[str]]]) -> None:
        """Look up labels, those that are not known yet."""
        if sum(map(len, self._found.values())) + sum(map(len, self._missing.values())) > _MOST_REMEMBERED:
            self._found.clear()
            self._missing.clear()
        wanted: defaultdict[_Standing, set[str]] = defaultdict(set)
        for scope, since, label_ids in asked:
            standing = (scope, since)
            if not label_ids <= self._found[standing].keys():
                wanted[standing] |= label_ids - self._found[standing].keys() - self._missing[standing]
        identifiers = sorted(set().union(*wanted.values()))
        last = max((since for _, since in wanted), default=0)
        first = min((since for _, since in wanted), default=0)
        for start in range(0, len(identifiers), _ASKED_AT_ONCE):
            some = identifiers[start : start + _ASKED_AT_ONCE]
            self._take(wanted, frozenset(some), _find_labels(connection, some, first, last), _find_rules(connection, some, first, last))

    def _take(
        self,
        wanted: Mapping[_Standing, set[str]],
        some: frozenset[str],
        labels: Mapping[str, Collection[tuple[BatchLabel, _Span]]],
        rules: Mapping[str, Collection[_Span]],
    ) -> None:
        for (scope, since), label_ids in wanted.items():
            for label_id in label_ids & some:
                label = next((each for each, span in labels[label_id] if _holds(span, since)), None)
                applies = label is not None and (scope is None or label.shared or label.project_id == scope)
                if label is not None and applies and any(_holds(span, since) for span in rules[label_id]):
                    self._found[scope, since][label_id] = label
                else:
                    self._missing[scope, since].add(label_id)


def _holds(span: _Span, revision: int) -> bool:
    return span[0] <= revision and (span[1] is None or revision < span[1])


def _find_labels(connection: Connection, label_ids: Collection[str], first: int, last: int) -> Mapping[str, list[tuple[BatchLabel, _Span]]]:
    """Give the states of labels that held at any revision from ``first`` to ``last``."""
    live, past = LABELS.c, LABELS_HISTORY.c
    states = union_all(
        select(*(live[name] for name in _COLUMNS), _STILL).where(live.id.in_(label_ids), live.valid_from <= last),
        select(*(past[name] for name in _COLUMNS), past.valid_to).where(
            past.id.in_(label_ids), past.valid_from <= last, past.valid_to > first
        ),
    )
    found: defaultdict[str, list[tuple[BatchLabel, _Span]]] = defaultdict(list)
    for label_id, name, project_id, shared, valid_from, valid_to in connection.execute(states):
        found[label_id].append((BatchLabel(label_id, name, project_id, bool(shared)), (valid_from, valid_to)))
    return found


def _find_rules(connection: Connection, label_ids: Collection[str], first: int, last: int) -> Mapping[str, list[_Span]]:
    """Give from when until when labels had rules, of those that held at any revision from ``first`` to ``last``."""
    live, past = RULES.c, RULES_HISTORY.c
    spans = union(
        select(live.metering_label_id, live.valid_from, _STILL).where(live.metering_label_id.in_(label_ids), live.valid_from <= last),
        select(past.metering_label_id, past.valid_from, past.valid_to).where(
            past.metering_label_id.in_(label_ids), past.valid_from <= last, past.valid_to > first
        ),
    )
    found: defaultdict[str, list[_Span]] = defaultdict(list)
    for label_id, valid_from, valid_to in connection.execute(spans):
        found[label_id].append((valid_from, valid_to))
    return found


_STILL: Any = literal(None, BigInteger).label("valid_to")
