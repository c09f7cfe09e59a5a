"""Labels in the store: what goes in comes out, texts are compared exactly, and only what is asked for changes."""

from dataclasses import replace

import pytest

from tests.support.control_values import OPERATOR, make_given_rule, make_label
from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import ConflictError, InvalidRequestError, LabelNotFoundError, StoreError

LOOK_ALIKES = ["web", "Web", "wéb", "web ", " web", "we\u0301b", "ｗeb", "web\u00a0", "😀", ""]


def test_labels_come_out_as_they_went_in(store: Store) -> None:
    labels = [
        make_label("", project_id=""),
        make_label("x" * 255, project_id="p" * 255, description="d" * 1024, shared=True),
        make_label("😀" * 255, project_id="é" * 255, description="😀" * 1024),
        make_label("'; DROP TABLE labels; --", description='%_\\"'),
    ]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
    with store.reading() as reader:
        assert [reader.labels.find(label.id) for label in labels] == labels
        assert [reader.labels.project_of(label.id) for label in labels] == [label.project_id for label in labels]
        assert sorted(reader.labels.list(Listing()), key=str) == sorted(labels, key=str)


@pytest.mark.parametrize("missing", ["f699b4e8-d520-44c9-bad3-3adb6bc8671d", "nope", "", "\0", "\ud800", "😀", "x" * 5000])
def test_what_is_not_there_is_not_found(store: Store, missing: str) -> None:
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([make_label()])
        assert writer.labels.find(missing) is None
        assert writer.labels.project_of(missing) is None
        assert not writer.labels.delete(missing)
        assert writer.labels.list(Listing(filters={"id": (missing,)})) == []


def test_names_that_look_alike_are_told_apart(store: Store) -> None:
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([make_label(name) for name in LOOK_ALIKES])
        for name in LOOK_ALIKES:
            assert [label.name for label in writer.labels.list(Listing(filters={"name": (name,)}))] == [name]


def test_a_label_is_found_by_its_exact_id_only(store: Store) -> None:
    label = replace(make_label(), id="abcdefab-0000-4000-8000-abcdefabcdef")
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        assert writer.labels.find(label.id.upper()) is None
        assert writer.labels.find(f"{label.id} ") is None


FILTERS: dict[str, tuple[dict[str, tuple[object, ...]], set[str]]] = {
    "one value": ({"name": ("a",)}, {"a1"}),
    "one of two values": ({"name": ("a", "b")}, {"a1", "b2"}),
    "two attributes": ({"name": ("a", "b"), "project_id": ("p2",)}, {"b2"}),
    "a boolean": ({"shared": (True,)}, {"b2"}),
    "either boolean": ({"shared": (True, False)}, {"a1", "b2", "c2"}),
    "an empty text": ({"description": ("",)}, {"a1", "b2", "c2"}),
    "no value": ({"name": ()}, set()),
    "nothing": ({"name": (None,)}, set()),
    "a number for a text": ({"name": (1,)}, set()),
    "a text for a boolean": ({"shared": ("true",)}, set()),
    "a number for a boolean": ({"shared": (1,)}, set()),
    "what no database holds, and what it does": ({"name": ("\0", "\udc00", "c")}, {"c2"}),
    "a pattern": ({"name": ("%",)}, set()),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filters_choose(store: Store, case: str) -> None:
    filters, expected = FILTERS[case]
    labels = [make_label("a", project_id="p1"), make_label("b", project_id="p2", shared=True), make_label("c", project_id="p2")]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
        assert {f"{label.name}{label.project_id[1]}" for label in writer.labels.list(Listing(filters=filters))} == expected


def test_an_attribute_that_is_none_is_refused(store: Store) -> None:
    with store.reading() as reader, pytest.raises(InvalidRequestError, match="'colour' is no attribute of a metering label"):
        reader.labels.list(Listing(filters={"colour": ("red",)}))


def test_the_labels_of_a_project_do_not_include_shared_ones_of_others(store: Store) -> None:
    mine, shared = make_label("mine", project_id="p1"), make_label("shared", project_id="p2", shared=True)
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([mine, shared])
        assert writer.labels.list(Listing(), project_id="p1") == [mine]
        assert writer.labels.list(Listing(), project_id="p3") == []


def test_labels_apply_with_their_rules(store: Store) -> None:
    mine, other, shared = make_label("mine"), make_label("other", project_id="p2"), make_label("shared", project_id="p3", shared=True)
    rules = [make_given_rule(label.id, "ingress remote 10.0.0.5/24") for label in (mine, other)]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([mine, other, shared])
        writer.rules.insert(rules)
        own = {entry.label.name: [rule.id for rule in entry.rules] for entry in writer.labels.applicable("p1")}
        assert own == {"mine": [rules[0].id], "shared": []}
        assert {entry.label.name for entry in writer.labels.applicable(None)} == {"mine", "other", "shared"}
        assert [entry.rules for entry in writer.labels.applicable("p2") if entry.label == other] == [(rules[1].rule,)]


def test_a_label_changes_and_only_that_one(store: Store) -> None:
    label, other = make_label("before"), make_label("other")
    changed = replace(label, name="after", description="new")
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label, other])
    with store.writing(OPERATOR) as writer:
        writer.labels.update(changed)
        assert writer.revision == 2
    with store.reading() as reader:
        assert [reader.labels.find(label.id), reader.labels.find(other.id)] == [changed, other]


def test_a_label_that_is_so_already_makes_no_revision(store: Store) -> None:
    label = make_label()
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
    with store.writing(OPERATOR) as writer:
        writer.labels.update(label)
        assert writer.revision is None
    assert store.latest_revision() == 1


def test_no_label_is_made_by_changing_it(store: Store) -> None:
    label = make_label()
    with store.writing(OPERATOR) as writer, pytest.raises(LabelNotFoundError, match=f"^Metering label '{label.id}' does not exist\\.$"):
        writer.labels.update(label)


def test_two_labels_have_two_ids(store: Store) -> None:
    label = make_label()
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        with pytest.raises(ConflictError, match="there is a metering label of this id already"):
            writer.labels.insert([make_label("new"), replace(label, name="other")])
        assert writer.labels.list(Listing()) == [label]


def test_nothing_is_written_by_reading(store: Store) -> None:
    with store.reading() as reader, pytest.raises(StoreError, match="a transaction that reads cannot write"):
        reader.labels.insert([make_label()])


def test_an_exception_undoes_everything(store: Store) -> None:
    def fail() -> None:
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label()])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.latest_revision() == 0
    with store.writing(OPERATOR) as writer:
        assert writer.labels.list(Listing()) == []
        writer.labels.insert([make_label()])
    assert store.latest_revision() == 1


def test_a_transaction_that_reads_sees_one_state(store: Store) -> None:
    with store.reading() as reader:
        assert reader.revisions.latest() == 0
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label()])
        assert reader.labels.list(Listing()) == []
        assert reader.revisions.latest() == 0
    assert store.latest_revision() == 1


def test_labels_are_searched_by_parts_of_their_names(store: Store) -> None:
    labels = [make_label(name) for name in ("Web shop", "web", "100%", "1000", "under_score", "underXscore", "a\\b")]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
    with store.reading() as reader:
        found = {
            text: {label.name for label in reader.labels.list(Listing(), search=text)} for text in ("WEB", "0%", "r_s", "\\", "\0", "no")
        }
        assert found == {"WEB": {"Web shop", "web"}, "0%": {"100%"}, "r_s": {"under_score"}, "\\": {"a\\b"}, "\0": set(), "no": set()}
        assert reader.labels.list(Listing(), search=labels[3].id) == [labels[3]]
        assert reader.labels.list(Listing(), "nobody", "web") == []
