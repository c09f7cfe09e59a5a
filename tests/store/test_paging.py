"""Lists of the store are those of a plain sort, cut into pages: any order, both ways, on every database."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import pytest

from tests.support.control_values import OPERATOR, make_given_rule, make_label
from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.errors import NotFoundError
from venturi.core.rules.given_rule import GivenRule

NAMES = ["", "B", "a", "b", "é", "z", "😀", "a ", "ﬀ"]

LABEL_ORDERS = {
    "unasked": (),
    "by name": (SortKey("name", ascending=True),),
    "by name backwards": (SortKey("name", ascending=False),),
    "by id backwards": (SortKey("id", ascending=False),),
    "both ways": (SortKey("shared", ascending=False), SortKey("name", ascending=True), SortKey("project_id", ascending=False)),
    "a key twice": (SortKey("name", ascending=False), SortKey("name", ascending=True)),
    "beyond the id": (SortKey("id", ascending=True), SortKey("name", ascending=False)),
    "all that are equal": (SortKey("description", ascending=False),),
}

RULE_ORDERS = {
    "by prefixes that are not there": (SortKey("remote_ip_prefix", ascending=True), SortKey("source_ip_prefix", ascending=False)),
    "by prefixes backwards": (SortKey("remote_ip_prefix", ascending=False), SortKey("destination_ip_prefix", ascending=True)),
    "by direction and flag": (SortKey("excluded", ascending=True), SortKey("direction", ascending=False)),
    "by label": (SortKey("metering_label_id", ascending=False),),
}

Read = Callable[[Listing], Sequence[Any]]


def expected_order(resources: Sequence[Any], sort: Sequence[SortKey], attribute: Callable[[Any, str], Any]) -> list[str]:
    """Sort in Python: texts by code point, what is not there first, then by id."""
    ordered = sorted(resources, key=lambda each: each.id)
    first: dict[str, bool] = {}
    for key in sort:
        first.setdefault(key.attribute, key.ascending)
    names = list(first)[: list(first).index("id") + 1] if "id" in first else list(first)
    for name in reversed(names):
        ordered.sort(key=lambda each: attribute(each, name), reverse=not first[name])
    return [each.id for each in ordered]


def pages_forwards(read: Read, sort: tuple[SortKey, ...], limit: int) -> list[str]:
    found: list[str] = []
    while page := read(Listing(sort=sort, limit=limit, marker=found[-1] if found else None)):
        assert len(page) <= limit
        found += [each.id for each in page]
    return found


def pages_backwards(read: Read, sort: tuple[SortKey, ...], limit: int) -> list[str]:
    found: list[str] = []
    while page := read(Listing(sort=sort, limit=limit, marker=found[0] if found else None, page_reverse=True)):
        found[:0] = [each.id for each in page]
    return found


@pytest.mark.parametrize("order", LABEL_ORDERS)
def test_pages_of_labels_are_the_sorted_list(store: Store, order: str) -> None:
    sort = LABEL_ORDERS[order]
    labels = [make_label(name, project_id=project, shared=shared) for name, project, shared in product(NAMES, ["p1", "P2"], [False, True])]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
    with store.reading() as reader:
        expected = expected_order(labels, sort, getattr)
        assert [label.id for label in reader.labels.list(Listing(sort=sort))] == expected
        assert pages_forwards(reader.labels.list, sort, 7) == expected
        assert pages_backwards(reader.labels.list, sort, 5) == expected


@pytest.mark.parametrize("order", RULE_ORDERS)
def test_pages_of_rules_are_the_sorted_list(store: Store, order: str) -> None:
    sort = RULE_ORDERS[order]
    labels = [make_label(), make_label()]
    spelled = [
        f"{direction}{excluded} {side} {prefix}"
        for direction, excluded, side, prefix in product(
            ["ingress", "egress"], ["", " excluded"], ["remote", "source", "destination"], ["10.0.0.0/24", "9.0.0.1", "2001:DB8::/32"]
        )
    ]
    rules = [make_given_rule(label.id, text) for label in labels for text in spelled]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
        writer.rules.insert(rules)

    def attribute(rule: GivenRule, name: str) -> object:
        found = rule.metering_label_id if name == "metering_label_id" else getattr(rule.fields, name)
        return found if isinstance(found, bool) else str(found or "")

    with store.reading() as reader:
        expected = expected_order(rules, sort, attribute)
        assert [rule.id for rule in reader.rules.list(Listing(sort=sort))] == expected
        assert pages_forwards(reader.rules.list, sort, 11) == expected
        assert pages_backwards(reader.rules.list, sort, 13) == expected


def test_filters_and_project_hold_on_every_page(store: Store) -> None:
    labels = [make_label(f"n{number % 3}", project_id=f"p{number % 2}") for number in range(60)]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
    wanted = [label.id for label in sorted(labels, key=lambda each: each.id) if label.name != "n1" and label.project_id == "p1"]
    with store.reading() as reader:
        found: list[str] = []
        while page := reader.labels.list(
            Listing(filters={"name": ("n0", "n2")}, limit=3, marker=found[-1] if found else None), project_id="p1"
        ):
            found += [label.id for label in page]
        assert found == wanted


@pytest.mark.parametrize("marker", ["f699b4e8-d520-44c9-bad3-3adb6bc8671d", "nope", "\0", ""])
def test_a_marker_that_is_not_there_is_refused(store: Store, marker: str) -> None:
    with store.reading() as reader, pytest.raises(NotFoundError, match="there is no metering label"):
        reader.labels.list(Listing(marker=marker))


def test_a_marker_of_another_project_is_refused(store: Store) -> None:
    label = make_label(project_id="p2")
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        with pytest.raises(NotFoundError):
            writer.labels.list(Listing(marker=label.id), project_id="p1")


def test_a_page_of_nothing_is_empty(store: Store) -> None:
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([make_label()])
        assert writer.labels.list(Listing(limit=0)) == []
