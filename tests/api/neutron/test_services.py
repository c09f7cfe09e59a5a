"""Labels and rules as services, where the Networking API does not reach: renaming, and replacing a label's rules."""

import pytest

from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import ForbiddenError, LabelNotFoundError, NotFoundError, RuleOverlapsError
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.rule_fields import RuleFields
from venturi.services.control.labels import LabelControl, NewLabel
from venturi.services.control.rules import NewRule, RuleControl


def _caller(role: Role, project: str = "p") -> Principal:
    return Principal(user_id=role.value, project_id=project, roles=IMPLIED_ROLES[role])


def _source(text: str) -> RuleFields:
    return RuleFields(Direction.EGRESS, False, None, Prefix.parse(text), None)


def _remote(text: str) -> RuleFields:
    return RuleFields(Direction.EGRESS, False, Prefix.parse(text), None, None)


MANAGER, READER, STRANGER = _caller(Role.MANAGER), _caller(Role.READER), _caller(Role.MANAGER, "q")
A, B, C = _source("10.0.0.0/8"), _source("192.0.2.0/24"), _source("2001:db8::/32")


def test_renaming_makes_one_revision_and_the_same_name_none(sqlite_store: Store) -> None:
    labels = LabelControl(sqlite_store)
    label = labels.create(MANAGER, [NewLabel(name="a", description="d")])[0]
    before = sqlite_store.latest_revision()
    renamed = labels.update(MANAGER, label.id, {"name": "b"})
    assert (renamed.name, renamed.description) == ("b", "d")
    assert labels.update(MANAGER, label.id, {"name": "b", "description": "d"}) == renamed
    assert labels.find(READER, label.id) == renamed
    assert sqlite_store.latest_revision() == before + 1


@pytest.mark.parametrize(
    ("caller", "error"), [(READER, ForbiddenError), (STRANGER, LabelNotFoundError), (_caller(Role.NONE), NotFoundError)]
)
def test_who_may_neither_rename_nor_replace(sqlite_store: Store, caller: Principal, error: type[Exception]) -> None:
    label = LabelControl(sqlite_store).create(MANAGER, [NewLabel(name="a")])[0]
    before = sqlite_store.latest_revision()
    with pytest.raises(error):
        LabelControl(sqlite_store).update(caller, label.id, {"name": "b"})
    with pytest.raises(error):
        RuleControl(sqlite_store).replace(caller, label.id, [A])
    assert sqlite_store.latest_revision() == before


@pytest.mark.parametrize(
    ("present", "wanted", "revisions"),
    [
        pytest.param([], [A], 1, id="first"),
        pytest.param([A, B], [B, A], 0, id="the same in another order"),
        pytest.param([A, B], [B, C], 1, id="one for another"),
        pytest.param([A, B], [], 1, id="none"),
        pytest.param([], [], 0, id="none to none"),
        pytest.param([_remote("10.0.0.0/8")], [_remote("10.0.0.0/16"), _remote("10.1.0.0/16")], 1, id="parts of what goes"),
    ],
)
def test_replacing_rules(sqlite_store: Store, present: list[RuleFields], wanted: list[RuleFields], revisions: int) -> None:
    rules = RuleControl(sqlite_store)
    label = LabelControl(sqlite_store).create(MANAGER, [NewLabel()])[0]
    made = rules.create(MANAGER, [NewRule(label.id, fields) for fields in present])
    before = sqlite_store.latest_revision()
    replaced = rules.replace(MANAGER, label.id, wanted)
    assert sqlite_store.latest_revision() == before + revisions
    assert {rule.fields for rule in replaced} == set(wanted)
    assert {rule.id for rule in rules.list(MANAGER, Listing())} == {rule.id for rule in replaced}
    kept = {rule.id for rule in made if rule.fields in wanted}
    assert kept <= {rule.id for rule in replaced}


def test_a_replacement_that_overlaps_itself_changes_nothing(sqlite_store: Store) -> None:
    rules = RuleControl(sqlite_store)
    label = LabelControl(sqlite_store).create(MANAGER, [NewLabel()])[0]
    made = rules.create(MANAGER, [NewRule(label.id, A)])
    with pytest.raises(RuleOverlapsError, match=r"'10\.1\.0\.0/16' overlaps another"):
        rules.replace(MANAGER, label.id, [_remote("10.0.0.0/8"), _remote("10.1.0.0/16")])
    assert rules.list(MANAGER, Listing()) == made


def test_rules_of_many_labels_at_once(sqlite_store: Store) -> None:
    labels = LabelControl(sqlite_store).create(MANAGER, [NewLabel(name=str(number)) for number in range(1_200)])
    rules = RuleControl(sqlite_store)
    made = rules.create(MANAGER, [NewRule(label.id, A) for label in labels])
    assert [rule.metering_label_id for rule in made] == [label.id for label in labels]
    foreign = LabelControl(sqlite_store).create(STRANGER, [NewLabel(name="theirs", shared=True)])[0]
    before = sqlite_store.latest_revision()
    with pytest.raises(LabelNotFoundError, match=f"'{foreign.id}'"):
        rules.create(MANAGER, [NewRule(label.id, B) for label in (*labels, foreign)])
    assert sqlite_store.latest_revision() == before


def test_a_filter_that_allows_nothing_gives_nothing(sqlite_store: Store) -> None:
    labels = LabelControl(sqlite_store)
    labels.create(MANAGER, [NewLabel(name="a")])
    assert labels.list(MANAGER, Listing(filters={"name": ()})) == []
    assert labels.list(_caller(Role.NONE), Listing()) == []
