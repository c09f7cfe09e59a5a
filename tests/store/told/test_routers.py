"""Routers without a host: the first that posts packets becomes their host, and hosts with plan files are believed whatever they post."""

from dataclasses import dataclass, field, replace
from threading import Barrier, Thread

import pytest

from tests.support.control_values import new_id
from tests.support.telling import TellingServer
from venturi.adapters.store.ledger.told import BY_PLAN_FILE, Claim
from venturi.adapters.store.store import Store
from venturi.core.domain.alarm import Alarm
from venturi.core.domain.point import ObservationPoint, RouterPlace
from venturi.core.ledger.trust import HeldReason
from venturi.services.ledger.configuration import LedgerConfig
from venturi.services.ledger.trusting import HostTrust


@dataclass
class Trusting:
    """A server that tells plans, and what the ledger trusts by it."""

    store: Store
    alarms: list[Alarm] = field(default_factory=list)

    def __post_init__(self) -> None:  # noqa: D105 - as of any dataclass
        self.server = TellingServer(self.store)
        self.trust = HostTrust(self.store, LedgerConfig(plan_file_hosts=("Edge-9",)), self.alarms.append)

    def hosts(self, router: ObservationPoint) -> tuple[str, ...]:
        """Give the hosts of a router."""
        with self.store.reading() as reader:
            found = reader.points.find(router.id)
        assert found is not None
        assert isinstance(found.place, RouterPlace)
        return found.place.hosts


@pytest.fixture
def trusting(store: Store) -> Trusting:
    return Trusting(store)


def make_router(trusting: Trusting, *hosts: str) -> ObservationPoint:
    return trusting.server.point(RouterPlace(router_id=new_id(), hosts=hosts), name="gateway")


def test_the_first_host_that_posts_packets_becomes_the_host(trusting: Trusting) -> None:
    label, router = trusting.server.label(), make_router(trusting)
    claims = {host: trusting.server.claim(host, router, label) for host in ("h1", "h2")}
    before = trusting.store.latest_revision()
    trusting.trust.claim_routers("H1", [claims["h1"]])
    assert trusting.hosts(router) == ("h1",)
    assert [(alarm.kind, alarm.subject, alarm.project_id) for alarm in trusting.alarms] == [("router_host", router.id, "p1")]
    assert "host 'h1' is now the host of router 'gateway'" in trusting.alarms[0].sentence
    with trusting.store.reading() as reader:
        revision = reader.revisions.find(before + 1)
    assert revision is not None
    assert revision.author == "venturi"
    trusting.trust.claim_routers("h2", [claims["h2"]])
    assert (trusting.hosts(router), len(trusting.alarms)) == (("h1",), 1)
    assert [trusting.server.ask(host, claim).problem for host, claim in claims.items()] == [None, HeldReason.OTHER_HOST]
    assert [len(trusting.server.tell(host).points) for host in ("h1", "h2")] == [1, 0]


def test_nobody_becomes_a_host_who_may_not(trusting: Trusting) -> None:
    router, interface = make_router(trusting), trusting.server.point()
    claim = trusting.server.claim("h1", router)
    taken = make_router(trusting, "h2")
    refused = {
        "zeros": replace(claim, counted=False),
        "a digest that was not told": replace(claim, classifier="b" * 64),
        "a label that was not told": replace(claim, label_ids=frozenset({new_id()})),
        "a revision to come": replace(claim, revision=10**6),
        "a router that has a host": replace(claim, point_id=taken.id),
        "an interface": replace(claim, point_id=interface.id),
        "a point that never was": replace(claim, point_id=new_id()),
    }
    before = trusting.store.latest_revision()
    trusting.trust.claim_routers("h1", list(refused.values()))
    trusting.trust.claim_routers("edge-9", [claim])
    assert (trusting.store.latest_revision(), trusting.alarms) == (before, [])


def race(trusting: Trusting, ready: Barrier, host: str, claim: Claim) -> None:
    ready.wait()
    trusting.trust.claim_routers(host, [claim])


def test_of_two_hosts_that_race_one_becomes_the_host(trusting: Trusting) -> None:
    for _ in range(5):
        router = make_router(trusting)
        claims = {host: trusting.server.claim(host, router) for host in ("h1", "h2")}
        ready = Barrier(2)

        racing = [Thread(target=race, args=[trusting, ready, host, claim]) for host, claim in claims.items()]
        for thread in racing:
            thread.start()
        for thread in racing:
            thread.join()
        (winner,) = trusting.hosts(router)
        problems = {host: trusting.server.ask(host, claim).problem for host, claim in claims.items()}
        assert problems == {host: None if host == winner else HeldReason.OTHER_HOST for host in claims}
    assert len({alarm.subject for alarm in trusting.alarms}) == len(trusting.alarms) == 5


def test_hosts_that_are_listed_are_believed_whatever_they_post(trusting: Trusting) -> None:
    _, claim = trusting.server.point(), replace(trusting.server.claim("h1", make_router(trusting)), classifier="of its own", revision=99)
    with trusting.store.posting() as writer:
        assert trusting.trust.find(writer, "edge-9", [claim, claim]) == [BY_PLAN_FILE] * 2
        assert [told.problem for told in trusting.trust.find(writer, "edge-8", [claim])] == [HeldReason.UNKNOWN_REVISION]
