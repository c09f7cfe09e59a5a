"""What an operation costs does not grow with what the store holds, counted in steps of SQLite's machine.

Steps are the same on every machine, however busy it is. Each operation is measured with many labels and rules present.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.control_values import OPERATOR, make_given_rule, make_label, new_id
from tests.support.databases import open_store
from venturi.adapters.store.store import Store, StoreReader, StoreWriter
from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.label import MeteringLabel

MANY = 20_000
PAGE = 10

LABEL = make_label("0 first", project_id="p0")
LAST = make_label("z last", project_id="p0")
OTHERS = [make_label(f"label {number:05}", project_id=f"p{number % 500}", shared=number % 2 == 0) for number in range(MANY)]
MIDDLE = sorted(OTHERS, key=lambda label: label.id)[MANY // 2]
BY_NAME = (SortKey("name", ascending=True),)
BACK_BY_NAME = (SortKey("name", ascending=False),)


@pytest.fixture(scope="module")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of many labels, one of which has many rules."""
    folder: Path = tmp_path_factory.mktemp("scale")
    with open_store(f"sqlite:///{folder / 'venturi.db'}") as store:
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([LABEL, LAST, *OTHERS])
            writer.rules.insert(
                [make_given_rule(LABEL.id, f"ingress remote 10.{number >> 8}.{number & 255}.0/24") for number in range(MANY)]
            )
        yield store


@contextmanager
def count_steps(reader: StoreReader) -> Iterator[list[int]]:
    """Count the hundreds of steps that the statements of the block take."""
    raw: Any = reader.labels._connection.connection.dbapi_connection
    count = [0]

    def note() -> int:
        count[0] += 1
        return 0

    raw.set_progress_handler(note, 100)
    yield count
    raw.set_progress_handler(None, 0)


def _page(listing: Listing) -> Callable[[StoreReader], list[MeteringLabel]]:
    return lambda reader: reader.labels.list(replace(listing, limit=PAGE))


READS: dict[str, Callable[[StoreReader], Any]] = {
    "the first page": _page(Listing()),
    "a page in the middle": _page(Listing(marker=MIDDLE.id)),
    "the page before it": _page(Listing(marker=MIDDLE.id, page_reverse=True)),
    "a page by name in the middle": _page(Listing(sort=BY_NAME, marker=OTHERS[MANY // 2].id)),
    "the page by name before it": _page(Listing(sort=BY_NAME, marker=OTHERS[MANY // 2].id, page_reverse=True)),
    "a page by name backwards": _page(Listing(sort=BACK_BY_NAME, marker=OTHERS[MANY // 2].id)),
    "the last page by name": _page(Listing(sort=BY_NAME, marker=LAST.id)),
    "a name": _page(Listing(filters={"name": ("label 07777",)})),
    "a project": lambda reader: reader.labels.list(Listing(limit=PAGE), project_id="p77"),
    "a label": lambda reader: reader.labels.find(MIDDLE.id),
    "a page of rules": lambda reader: reader.rules.list(Listing(limit=PAGE, marker=reader.rules.list(Listing(limit=PAGE))[-1].id)),
    "the latest revision": lambda reader: [reader.revisions.latest()],
}

WRITES: dict[str, Callable[[StoreWriter], Any]] = {
    "a label": lambda writer: writer.labels.insert([make_label()]),
    "a rule beside many": lambda writer: writer.rules.insert([make_given_rule(LABEL.id, "ingress remote 192.0.2.0/24")]),
    "a rule that many labels are beside": lambda writer: writer.rules.insert([make_given_rule(LAST.id, "egress remote 10.0.0.0/8")]),
    "a label that goes": lambda writer: writer.labels.delete(OTHERS[5].id),
    "a rule that is not there": lambda writer: writer.rules.delete(new_id()),
}


@pytest.mark.parametrize("case", READS)
def test_reading_a_little_of_much_takes_few_steps(full_store: Store, case: str) -> None:
    with full_store.reading() as reader, count_steps(reader) as hundreds:
        found = READS[case](reader)
    assert found or case == "the last page by name"
    assert hundreds[0] < 25


@pytest.mark.parametrize("case", WRITES)
def test_writing_a_little_beside_much_takes_few_steps(full_store: Store, case: str) -> None:
    with full_store.writing(OPERATOR) as writer, count_steps(writer) as hundreds:
        WRITES[case](writer)
    assert hundreds[0] < 25


def test_reading_all_takes_many_steps(full_store: Store) -> None:
    with full_store.reading() as reader, count_steps(reader) as hundreds:
        assert len(reader.labels.list(Listing())) >= MANY
    assert hundreds[0] > 1000


def test_many_rules_come_in_one_request(full_store: Store) -> None:
    labels = [make_label() for _ in range(700)]
    rules = [make_given_rule(labels[number % 700].id, f"ingress remote 10.{number >> 8}.{number & 255}.0/24") for number in range(MANY)]
    with full_store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
        with count_steps(writer) as hundreds:
            writer.rules.insert(rules)
        assert hundreds[0] < 5 * MANY
        assert len(writer.rules.list(Listing(limit=MANY * 2))) >= 2 * MANY
