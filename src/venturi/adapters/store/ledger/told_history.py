"""What plans said before there was a record of it: the classifiers of all revisions, worked out from the history of labels and rules.

Owns the walk over revisions, in pieces, each of which costs what changed in it. When it is walked, and how fast, is for the services.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Table, literal, or_, select, union_all
from sqlalchemy.types import BigInteger

from venturi.adapters.store.ledger.telling import ToldClassifier, read_told_state, read_told_version
from venturi.adapters.store.schema.tables import (
    LABELS,
    LABELS_HISTORY,
    OBSERVATION_POINTS,
    OBSERVATION_POINTS_HISTORY,
    RULE_ATTRIBUTES,
    RULES,
    RULES_HISTORY,
)
from venturi.adapters.store.tables.label_changes import LabelScope, find_label_changes
from venturi.adapters.store.tables.rows import read_rules
from venturi.core.classify.digest import digests_of, normal_form
from venturi.core.domain.control.revision import LatestRevision

_OWNER = ("id", "project_id", "shared")


class ToldHistory:
    """The history that the record is worked out from, as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def version(self) -> tuple[LatestRevision, int]:
        """Give what plans are known by: the latest revision with its time, and how often the record was written."""
        return read_told_version(self._connection)

    def take_up(self) -> "HistoryWalk | None":
        """Take up the work where it was left, None if it is done."""
        state = read_told_state(self._connection)
        if state.worked_out >= state.history_end:
            return None
        scopes: set[LabelScope] = set()
        for table in (OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY):
            rows = self._connection.execute(select(table.c.project_id, table.c.shared).distinct())
            scopes |= {None if shared else project_id for project_id, shared in rows}
        walk = HistoryWalk(state.worked_out, state.history_end, {scope: _ScopeForms() for scope in scopes})
        walk.begin(_states_at(self._connection, state.worked_out))
        return walk

    def advance(self, walk: "HistoryWalk", revisions: int) -> list[ToldClassifier]:
        """Walk on by some revisions that changed labels, and give the classifiers that came into force in them.

        ``walk.reached`` says how far that was.
        """
        numbers = find_label_changes(self._connection, walk.reached, walk.end, revisions)
        until = max(numbers) if len(numbers) == revisions else walk.end
        return list(walk.advance(numbers, until, _changes(self._connection, walk.reached, until)))


@dataclass
class _ScopeForms:
    """The normal forms of the rules that apply in a scope, in order, each once; several rules may have one form."""

    ordered: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, form: str) -> None:
        self.counts[form] += 1
        if self.counts[form] == 1:
            insort(self.ordered, form)

    def remove(self, form: str) -> None:
        self.counts[form] -= 1
        if not self.counts[form]:
            del self.counts[form]
            del self.ordered[bisect_left(self.ordered, form)]


@dataclass
class _Label:
    """A label at a revision: its owner, None while there is no such label, and the forms of its rules by their ids."""

    owner: tuple[str, bool] | None = None
    rules: dict[str, str] = field(default_factory=dict)


@dataclass
class _Changes:
    """What changed in some revisions: owners of labels from a revision on, None once they are gone, and rules that came and went."""

    owners: dict[int, dict[str, tuple[str, bool] | None]] = field(default_factory=lambda: defaultdict(dict))
    gone: dict[int, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    come: dict[int, list[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(list))


class HistoryWalk:
    """Labels and rules at the revision ``reached``, on their way to ``end``."""

    def __init__(self, reached: int, end: int, scopes: dict[LabelScope, _ScopeForms]) -> None:
        self.reached = reached
        self.end = end
        self._scopes = scopes
        self._labels: defaultdict[str, _Label] = defaultdict(_Label)

    def begin(self, states: _Changes) -> None:
        """Take up the labels and rules that there are at the revision where the walk begins."""
        self._apply(self.reached, states)

    def advance(self, numbers: Mapping[int, Sequence[tuple[str, bool]]], until: int, changes: _Changes) -> Iterator[ToldClassifier]:
        """Apply the changes of revisions, each given with the owners of labels that it touched; give the classifiers that each brought."""
        if not self.reached:
            yield from self._classifiers(0, self._scopes)
        for number, owners in numbers.items():
            self._apply(number, changes)
            yield from self._classifiers(number, {scope for owner in owners for scope in self._applying(*owner)})
        self.reached = until

    def _classifiers(self, number: int, scopes: Collection[LabelScope]) -> Iterator[ToldClassifier]:
        return (ToldClassifier(scope, number, digest) for scope in scopes for digest in digests_of(self._scopes[scope].ordered))

    def _applying(self, project_id: str, shared: bool) -> Collection[LabelScope]:  # noqa: FBT001 - an owner, as it is noted
        """Give the scopes in which labels of an owner apply."""
        return self._scopes.keys() if shared else self._scopes.keys() & {None, project_id}

    def _apply(self, number: int, changes: _Changes) -> None:
        """Apply what changed at a revision."""
        owners, gone, come = changes.owners.get(number, {}), changes.gone.get(number, []), changes.come.get(number, [])
        touched = {*owners, *(label for _, label in gone), *(label for _, label, _ in come)}
        for label_id in touched:
            self._sum(self._labels[label_id], _ScopeForms.remove)
        for label_id, owner in owners.items():
            self._labels[label_id].owner = owner
        for rule_id, label_id in gone:
            self._labels[label_id].rules.pop(rule_id, None)
        for rule_id, label_id, form in come:
            self._labels[label_id].rules[rule_id] = form
        for label_id in touched:
            self._sum(self._labels[label_id], _ScopeForms.add)
            if self._labels[label_id].owner is None:
                del self._labels[label_id]

    def _sum(self, label: _Label, change: Callable[[_ScopeForms, str], None]) -> None:
        """Add the rules of a label where it applies, or remove them."""
        for scope in self._applying(*label.owner) if label.owner else ():
            for form in label.rules.values():
                change(self._scopes[scope], form)


def _states_at(connection: Connection, number: int) -> _Changes:
    """Give all labels and rules at a revision, as if they had come in it."""
    found = _Changes()
    for label_id, project_id, shared in connection.execute(_at(LABELS, LABELS_HISTORY, _OWNER, number)):
        found.owners[number][label_id] = (project_id, shared)
    for given in read_rules(connection.execute(_at(RULES, RULES_HISTORY, RULE_ATTRIBUTES, number))):
        found.come[number].append((given.id, given.metering_label_id, normal_form(given.rule)))
    return found


def _at(live: Table, history: Table, names: Sequence[str], number: int) -> Any:  # noqa: ANN401 - a compound select
    return union_all(
        select(*(live.c[name] for name in names)).where(live.c.valid_from <= number),
        select(*(history.c[name] for name in names)).where(history.c.valid_from <= number, history.c.valid_to > number),
    )


def _changes(connection: Connection, after: int, until: int) -> _Changes:
    """Give what changed in the revisions after one, up to another."""
    found = _Changes()
    rows = _changed_rows(connection, LABELS, LABELS_HISTORY, _OWNER, after, until)
    for row in rows:
        if row.valid_to is not None and row.valid_to <= until:
            found.owners[row.valid_to].setdefault(row.id, None)
    for row in rows:
        if row.valid_from > after:
            found.owners[row.valid_from][row.id] = (row.project_id, row.shared)
    for row in _changed_rows(connection, RULES, RULES_HISTORY, RULE_ATTRIBUTES, after, until):
        given = read_rules([tuple(row)[:-2]])[0]
        if row.valid_to is not None and row.valid_to <= until:
            found.gone[row.valid_to].append((row.id, row.metering_label_id))
        if row.valid_from > after:
            found.come[row.valid_from].append((row.id, row.metering_label_id, normal_form(given.rule)))
    return found


def _changed_rows(connection: Connection, live: Table, history: Table, names: Sequence[str], after: int, until: int) -> Sequence[Row[Any]]:
    """Give the states that began or ended after one revision, up to another."""
    began = live.c.valid_from > after, live.c.valid_from <= until
    past = or_(history.c.valid_from.between(after + 1, until), history.c.valid_to.between(after + 1, until))
    return connection.execute(
        union_all(
            select(*(live.c[name] for name in names), live.c.valid_from, literal(None, BigInteger).label("valid_to")).where(*began),
            select(*(history.c[name] for name in names), history.c.valid_from, history.c.valid_to).where(past),
        )
    ).all()
