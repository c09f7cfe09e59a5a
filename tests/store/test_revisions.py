"""Revisions of the store: numbered without gaps, and each can be read back whole as it was."""

import random
from dataclasses import dataclass, field, replace

import pytest

from tests.support.control_values import OPERATOR, make_given_rule, make_label, make_point
from venturi.adapters.store.store import Store, StoreWriter
from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.control.revision import Change, ChangeKind
from venturi.core.domain.errors import NotFoundError
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import InterfacePlace, ObservationPoint
from venturi.core.rules.given_rule import GivenRule


@dataclass
class State:
    """What a store should hold."""

    labels: dict[str, MeteringLabel] = field(default_factory=dict)
    rules: dict[str, GivenRule] = field(default_factory=dict)
    points: dict[str, ObservationPoint] = field(default_factory=dict)

    def copy(self) -> "State":
        return State(dict(self.labels), dict(self.rules), dict(self.points))

    def changes_to(self, other: "State") -> list[tuple[str, str, ChangeKind]]:
        found = []
        for resource in ("label", "rule", "point"):
            before, after = getattr(self, f"{resource}s"), getattr(other, f"{resource}s")
            for identifier in before.keys() | after.keys():
                if before.get(identifier) != after.get(identifier):
                    kind = (
                        ChangeKind.CREATED
                        if identifier not in before
                        else ChangeKind.DELETED
                        if identifier not in after
                        else ChangeKind.CHANGED
                    )
                    found.append(("observation_point" if resource == "point" else resource, identifier, kind))
        return sorted(found)


def read_state(store: Store, number: int) -> State:
    with store.reading() as reader:
        labels = reader.revisions.labels_at(number)
        points = reader.revisions.points_at(number)
    rules = {rule.id: rule for _, owned in labels for rule in owned}
    assert all(rule.metering_label_id == label.id for label, owned in labels for rule in owned)
    return State({label.id: label for label, _ in labels}, rules, {point.id: point for point in points})


def change_something(chance: random.Random, writer: StoreWriter, state: State) -> None:
    """Change one thing in a store, and in what it should hold."""
    label = chance.choice(list(state.labels.values())) if state.labels else None
    point = chance.choice(list(state.points.values())) if state.points else None
    match chance.randrange(7):
        case 0 | 1:
            made = make_label(f"l{chance.random()}")
            writer.labels.insert([made])
            state.labels[made.id] = made
        case 2 if label:
            state.labels[label.id] = replace(label, name=f"n{chance.randrange(3)}")
            writer.labels.update(state.labels[label.id])
        case 3 if label and chance.random() < 0.5:
            writer.labels.delete(label.id)
            del state.labels[label.id]
            state.rules = {rule.id: rule for rule in state.rules.values() if rule.metering_label_id != label.id}
        case 4 if label:
            rule = make_given_rule(label.id, f"ingress source 10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}")
            writer.rules.insert([rule])
            state.rules[rule.id] = rule
        case 5 if state.rules:
            identifier = chance.choice(list(state.rules))
            writer.rules.delete(identifier)
            del state.rules[identifier]
        case _:
            change_a_point(chance, writer, state, point)


def change_a_point(chance: random.Random, writer: StoreWriter, state: State, point: ObservationPoint | None) -> None:
    if point is None or chance.random() < 0.4:
        made = make_point(InterfacePlace(host=f"h{chance.random()}", device="eth0"))
        writer.points.insert(made)
        state.points[made.id] = made
    elif chance.random() < 0.5:
        state.points[point.id] = replace(point, name=f"n{chance.randrange(3)}")
        writer.points.update(state.points[point.id])
    else:
        writer.points.delete(point.id)
        del state.points[point.id]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_revision_can_be_read_back_whole(store: Store, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same changes in every run
    states = [State()]
    for _ in range(60):
        state = states[-1].copy()
        with store.writing(OPERATOR) as writer:
            for _ in range(chance.randrange(1, 5)):
                change_something(chance, writer, state)
            made = writer.revision
        if made is not None:
            assert made == len(states)
            states.append(state)
    assert store.latest_revision() == len(states) - 1
    for number, state in enumerate(states):
        assert read_state(store, number) == state
    with store.reading() as reader:
        for number in range(1, len(states)):
            expected = states[number - 1].changes_to(states[number])
            found = [(change.resource, change.id, change.kind) for change in reader.revisions.changes(number)]
            assert sorted(found) == expected


def test_a_revision_says_who_and_when(store: Store) -> None:
    authors = [Principal(user_id=f"u{number}", project_id=f"p{number}") for number in range(3)]
    for author in authors:
        with store.writing(author) as writer:
            writer.labels.insert([make_label()])
    with store.reading() as reader:
        revisions = reader.revisions.list(Listing())
        assert [(each.number, each.author, each.project_id) for each in revisions] == [(1, "u0", "p0"), (2, "u1", "p1"), (3, "u2", "p2")]
        assert revisions == sorted(revisions, key=lambda each: each.at)
        assert [reader.revisions.find(number) for number in (1, 2, 3)] == revisions
        assert [reader.revisions.find(number) for number in (0, -1, 4, 1 << 70)] == [None] * 4
        backwards = Listing(sort=(SortKey("number", ascending=False),), limit=2, marker="3")
        assert [each.number for each in reader.revisions.list(backwards)] == [2, 1]
        with pytest.raises(NotFoundError):
            reader.revisions.list(Listing(marker="4"))


def test_one_transaction_makes_one_revision(store: Store) -> None:
    label = make_label()
    rule = make_given_rule(label.id, "ingress remote 10.0.0.0/8")
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        writer.rules.insert([rule])
        assert writer.revision == 1
        assert writer.revisions.latest() == 0
    with store.reading() as reader:
        assert reader.revisions.changes(1) == [
            Change(resource="label", id=label.id, kind=ChangeKind.CREATED),
            Change(resource="rule", id=rule.id, kind=ChangeKind.CREATED),
        ]


def test_what_is_undone_in_its_own_transaction_leaves_no_trace(store: Store) -> None:
    label = make_label()
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        writer.labels.update(replace(label, name="after"))
        writer.labels.delete(label.id)
    with store.reading() as reader:
        assert reader.revisions.changes(1) == []
        assert reader.revisions.labels_at(1) == []


def test_a_resource_that_comes_back_has_changed(store: Store) -> None:
    label = make_label()
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
    with store.writing(OPERATOR) as writer:
        writer.labels.delete(label.id)
        writer.labels.insert([replace(label, name="after")])
    with store.reading() as reader:
        assert reader.revisions.changes(2) == [Change(resource="label", id=label.id, kind=ChangeKind.CHANGED)]
        assert [each.name for each, _ in reader.revisions.labels_at(2)] == ["after"]
        assert [each.name for each, _ in reader.revisions.labels_at(1)] == ["web"]
