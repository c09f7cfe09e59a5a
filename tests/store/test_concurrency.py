"""Many writers at once, on servers in two stores as two servers would: what must never be is not, whoever was first."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise

import pytest

from tests.support.control_values import OPERATOR, make_given_rule, make_label
from tests.support.databases import SQLITE, open_store
from venturi.adapters.store.maintenance.checking import check_database
from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import ConflictError, LabelNotFoundError

WRITERS = 6
ROUNDS = 25


@pytest.fixture
def stores(database: str, database_kind: str) -> Iterator[list[Store]]:  # noqa: PLR0206 - no property
    """One store on an embedded database, two on a server's."""
    with ExitStack() as opened:
        yield [opened.enter_context(open_store(database, pool_size=WRITERS)) for _ in range(1 if database_kind == SQLITE else 2)]


def run_writers(stores: list[Store], write: Callable[[Store, random.Random], object]) -> None:
    """Write from many threads, spread over the stores."""

    def repeat(writer: int) -> None:
        chance = random.Random(writer)  # noqa: S311 - the order is the threads' anyway
        for _ in range(ROUNDS):
            write(stores[writer % len(stores)], chance)

    with ThreadPoolExecutor(WRITERS) as threads:
        for done in [threads.submit(repeat, writer) for writer in range(WRITERS)]:
            done.result()


def test_no_two_remote_prefixes_overlap(stores: list[Store], database: str) -> None:
    label = make_label()
    with stores[0].writing(OPERATOR) as writer:
        writer.labels.insert([label])
    outcomes: list[bool] = []

    def write(store: Store, chance: random.Random) -> None:
        spelled = f"ingress remote 10.0.{chance.randrange(8)}.{chance.randrange(256)}/{chance.randrange(22, 31)}"
        try:
            with store.writing(OPERATOR) as writer:
                writer.rules.insert([make_given_rule(label.id, spelled)])
            outcomes.append(True)
        except ConflictError:
            outcomes.append(False)

    run_writers(stores, write)
    with stores[0].reading() as reader:
        assert len(reader.rules.list(Listing())) == sum(outcomes)
    assert set(outcomes) == {True, False}
    assert check_database(database) == []
    assert stores[0].latest_revision() == 1 + sum(outcomes)


def test_no_rule_is_left_without_its_label(stores: list[Store], database: str) -> None:
    label = make_label()
    outcomes: list[str] = []

    def write(store: Store, chance: random.Random) -> None:
        if chance.random() < 0.3:
            with store.writing(OPERATOR) as writer:
                if not writer.labels.delete(label.id):
                    writer.labels.insert([label])
            return
        try:
            with store.writing(OPERATOR) as writer:
                writer.rules.insert([make_given_rule(label.id, f"egress source 10.0.{chance.randrange(256)}.{chance.randrange(256)}")])
            outcomes.append("inserted")
        except LabelNotFoundError:
            outcomes.append("no label")
        except ConflictError:
            outcomes.append("there already")

    run_writers(stores, write)
    assert {"inserted", "no label"} <= set(outcomes)
    assert check_database(database) == []


def test_revisions_have_no_gaps_and_appear_in_order(stores: list[Store], database: str) -> None:
    seen: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            with stores[-1].reading() as reader:
                latest = reader.revisions.latest()
                assert [each.number for each in reader.revisions.list(Listing())] == list(range(1, latest + 1))
                assert len(reader.labels.list(Listing())) == latest
            seen.append(latest)

    made: list[int] = []

    def write(store: Store, _chance: random.Random) -> None:
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label()])
            number = writer.revision
        assert store.latest_revision() >= (number or 0)
        made.append(number or 0)

    with ThreadPoolExecutor(1) as watching:
        watcher = watching.submit(watch)
        run_writers(stores, write)
        done.set()
        watcher.result()
    assert sorted(made) == list(range(1, WRITERS * ROUNDS + 1))
    assert all(before <= after for before, after in pairwise(seen))
    assert check_database(database) == []
