"""What tells a server's labels from wanted ones, and what cannot be made equal.

Owns the matching of labels by project and name. Values in, values out: asking the server belongs to ``applying``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from venturi.core.domain.control.revision import ChangeKind
from venturi.core.domain.errors import ConflictError
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.rule_fields import RuleFields


@dataclass(frozen=True)
class AccountedLabel:
    """A label and the values of its rules as given; a label that is only wanted has no id."""

    label: MeteringLabel
    rules: tuple[RuleFields, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What labels are matched by: project and name."""
        return self.label.project_id, self.label.name


@dataclass(frozen=True)
class LabelDifference:
    """A label that is to be created, changed or deleted: as it is wanted and as it is present, None where it is not."""

    wanted: AccountedLabel | None
    present: AccountedLabel | None

    @property
    def kind(self) -> ChangeKind:
        """What is to become of the label."""
        if self.present is None:
            return ChangeKind.CREATED
        return ChangeKind.DELETED if self.wanted is None else ChangeKind.CHANGED

    @property
    def label(self) -> MeteringLabel:
        """The label, as it is present if it is."""
        account = self.present or self.wanted
        assert account is not None  # noqa: S101 - one of the two is given
        return account.label

    @property
    def description(self) -> tuple[str, str] | None:
        """The present and the wanted description of a label that stays, None where they are equal."""
        if self.present is None or self.wanted is None:
            return None
        pair = self.present.label.description, self.wanted.label.description
        return None if pair[0] == pair[1] else pair

    @property
    def created_rules(self) -> tuple[RuleFields, ...]:
        """The rules that are wanted and not present, in the order of the files."""
        return _without(self.wanted, self.present)

    @property
    def deleted_rules(self) -> tuple[RuleFields, ...]:
        """The rules that are present and not wanted; those of a deleted label go with it."""
        return _without(self.present, self.wanted)

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return self.kind is ChangeKind.CHANGED and not (self.description or self.created_rules or self.deleted_rules)


@dataclass(frozen=True)
class Difference:
    """All that is to be done: labels to create and to change in the order of the files, then labels to delete."""

    labels: tuple[LabelDifference, ...]

    def of_kind(self, kind: ChangeKind) -> list[LabelDifference]:
        """List what is to be created, changed or deleted."""
        return [each for each in self.labels if each.kind is kind]


def find_difference(wanted: Sequence[AccountedLabel], present: Sequence[AccountedLabel], *, prune: bool) -> Difference:
    """Compare labels; with ``prune``, present ones that are not wanted are to be deleted.

    Raises ``ConflictError`` where labels cannot be matched, or differ in what cannot be changed.
    """
    known = _by_key(present)
    refuse_doubles(wanted)
    found = [LabelDifference(account, _match(account, known)) for account in wanted]
    named = {account.key for account in wanted}
    if prune:
        unnamed = sorted((account for account in present if account.key not in named), key=lambda account: (*account.key, account.label.id))
        found += [LabelDifference(None, account) for account in unnamed]
    return Difference(tuple(each for each in found if not each.is_empty))


def refuse_doubles(wanted: Iterable[AccountedLabel]) -> None:
    """Refuse two wanted labels of one project and name with ``ConflictError``."""
    for account, *others in _by_key(wanted).values():
        if others:
            message = f"the files hold {len(others) + 1} labels {_spell(account.label)}, which cannot be told apart"
            raise ConflictError(message)


def _match(account: AccountedLabel, known: Mapping[tuple[str, str], Sequence[AccountedLabel]]) -> AccountedLabel | None:
    found = known.get(account.key, ())
    if not found:
        return None
    spelled = _spell(account.label)
    if len(found) > 1:
        message = f"the server has {len(found)} labels {spelled}, and which one is meant cannot be told: rename or delete all but one"
        raise ConflictError(message)
    if found[0].label.shared != account.label.shared:
        ways = ("shared", "not shared") if found[0].label.shared else ("not shared", "shared")
        message = (
            f"label {spelled} is {ways[0]} on the server and {ways[1]} in the files. That cannot change in place, since usage is booked "
            f"by the label's id ({found[0].label.id}): rename or delete the label there first, and apply makes another"
        )
        raise ConflictError(message)
    return found[0]


def _by_key(accounts: Iterable[AccountedLabel]) -> dict[tuple[str, str], list[AccountedLabel]]:
    found: defaultdict[tuple[str, str], list[AccountedLabel]] = defaultdict(list)
    for account in accounts:
        found[account.key].append(account)
    return dict(found)


def _without(these: AccountedLabel | None, others: AccountedLabel | None) -> tuple[RuleFields, ...]:
    if these is None:
        return ()
    known = frozenset(others.rules) if others else frozenset[RuleFields]()
    return tuple(fields for fields in these.rules if fields not in known)


def _spell(label: MeteringLabel) -> str:
    return f"'{label.name}' of project '{label.project_id}'"
