"""The record of what hosts are told: written before a plan is answered, with rows for what changed alone."""

import time
from dataclasses import replace
from threading import Thread

import pytest

from tests.support.control_values import OPERATOR, make_given_rule, make_label, make_point
from tests.support.databases import open_store
from tests.support.telling import TellingServer
from venturi.adapters.store.schema.tables import LABEL_CHANGES, TOLD_CLASSIFIERS
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.domain.errors import StoreError
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import InterfacePlace, ObservationPoint

LABELS, HOSTS = 10_000, 100
MOST_SECONDS = 3.0
"""Of processor time, on a machine that takes three times as long as usual."""


@pytest.fixture
def server(store: Store) -> TellingServer:
    return TellingServer(store)


def count_rows(server: TellingServer) -> int:
    return server.count(LABEL_CHANGES) + server.count(TOLD_CLASSIFIERS)


def test_a_plan_that_cannot_be_recorded_is_not_answered(database: str) -> None:
    store = Store(StoreConfig(database, patience=0.1))
    store.start()
    server = TellingServer(store)
    label, point = server.label(), server.point()
    with store.writing(OPERATOR), pytest.raises(StoreError, match="try again"):
        server.tell()
    assert server.count(TOLD_CLASSIFIERS) == 0
    assert server.ask("h1", server.claim("h1", point, label)).problem is None
    store.stop()


def test_what_could_not_be_recorded_is_recorded_with_the_next_plan_whatever_changed_meanwhile(database: str) -> None:
    store = Store(StoreConfig(database, patience=0.1))
    store.start()
    server = TellingServer(store)
    label, point = server.label(), server.point()
    with store.writing(OPERATOR), pytest.raises(StoreError, match="try again"):
        server.tell()
    server.change(replace(point, name="renamed"))
    assert server.ask("h1", server.claim("h1", point, label)).problem is None
    store.stop()


def test_two_servers_write_one_record(store: Store) -> None:
    servers = [TellingServer(store), TellingServer(store)]
    point = servers[0].point()
    for number in range(5):
        label = servers[number % 2].label(f"label {number}")
        answering = [Thread(target=server.tell) for server in servers]
        for thread in answering:
            thread.start()
        for thread in answering:
            thread.join()
        for server in servers:
            assert server.ask("h1", server.claim("h1", point, label)).problem is None
    assert servers[0].count(TOLD_CLASSIFIERS) == 5


def fill(server: TellingServer) -> tuple[list[MeteringLabel], list[ObservationPoint]]:
    """Make labels of ten projects, and a point at each host, half of them shared."""
    labels = [make_label(f"label {number}", project_id=f"p{number % 10}") for number in range(LABELS)]
    points = [
        make_point(InterfacePlace(host=f"h{number}", device="eth0"), project_id=f"p{number % 10}", shared=number >= HOSTS // 2)
        for number in range(HOSTS)
    ]
    with server.store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
        writer.rules.insert([make_given_rule(label.id, f"ingress source 10.{n >> 8}.{n & 255}.0/24") for n, label in enumerate(labels)])
        for point in points:
            writer.points.insert(point)
    return labels, points


def test_a_change_at_all_hosts_is_recorded_soon(sqlite_store: Store) -> None:
    """A second of processor time where machines are as fast as usual: of one change, that is all before the plans of all hosts are sent."""
    server = TellingServer(sqlite_store)
    fill(server)
    for number in range(HOSTS):
        server.maker.make(f"h{number}")
    recorded = count_rows(server)
    began = time.process_time()
    server.label("shared", project_id="p7", shared=True)
    for number in range(HOSTS):
        server.maker.make(f"h{number}")
    assert time.process_time() - began < MOST_SECONDS
    assert count_rows(server) > recorded


def test_a_change_costs_rows_for_what_it_changed(sqlite_store: Store) -> None:
    """Of 10,000 labels and 100 hosts: a row for the change, and one for each set of labels that it changed."""
    server = TellingServer(sqlite_store)
    labels, points = fill(server)
    sets = 11  # those of ten projects, and that of shared points
    for change, rows in (
        (lambda: None, sets),
        (lambda: server.change(replace(labels[3], name="new")), 1 + 2),
        (lambda: server.label("own", project_id="p7"), 1 + 2),
        (lambda: server.label("shared", project_id="p7", shared=True), 1 + sets),
        (lambda: server.change(replace(points[3], name="new")), 0),
        (lambda: server.delete(points[3]), 0),
        (lambda: server.delete(labels[5]), 1 + 2),
    ):
        before = count_rows(server)
        change()
        for number in range(HOSTS):
            server.tell(f"h{number}")
        assert count_rows(server) - before == rows


def test_a_change_of_shared_labels_is_recorded_in_few_transactions(store: Store) -> None:
    hosts = 40
    server = TellingServer(store)
    server.label("shared", shared=True)
    with store.writing(OPERATOR) as writer:
        for number in range(hosts):
            writer.points.insert(make_point(InterfacePlace(host=f"h{number}", device="eth0"), project_id=f"p{number}"))
    for number in range(hosts):
        server.tell(f"h{number}")
    told, before = server.count(TOLD_CLASSIFIERS), times_recorded(store)
    server.label("another", shared=True)
    for number in range(hosts):
        server.tell(f"h{number}")
    assert server.count(TOLD_CLASSIFIERS) - told == hosts
    assert times_recorded(store) - before <= hosts // 4


def times_recorded(store: Store) -> int:
    """Give how often the record was written."""
    with store.reading() as reader:
        return reader.told.version()[1]


def test_what_is_remembered_is_forgotten_once_the_database_is_put_back(tmp_path: object) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("first", "second")]
    with open_store(urls[0]) as first, open_store(urls[1]) as second:
        label, point = make_label(), make_point()
        servers = [TellingServer(first), TellingServer(second)]
        for server, name in zip(servers, ("before", "after"), strict=True):
            with server.store.writing(OPERATOR) as writer:
                writer.labels.insert([replace(label, name=name)])
                writer.rules.insert([make_given_rule(label.id, "ingress source 10.0.0.0/8")])
                writer.points.insert(point)
        claims = [server.claim("h1", point, label) for server in servers]
        assert claims[0] == claims[1]
        assert servers[0].find("h1", claims[0])[0].labels[label.id].name == "before"
        servers[1].memory = servers[0].memory
        assert servers[1].find("h1", claims[0])[0].labels[label.id].name == "after"
