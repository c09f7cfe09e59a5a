"""What a host is believed: what its plans told it, as long ago as that may be."""

import time
from dataclasses import replace

import pytest

from tests.support.control_values import OPERATOR, make_label, new_id
from tests.support.telling import LATER, TellingServer, names
from venturi.adapters.store.ledger.told import Claim
from venturi.adapters.store.store import Store
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import ExporterPlace, InterfacePlace, ObservationPoint, RouterPlace
from venturi.core.ledger.batch import BatchLabel, BatchPoint
from venturi.core.ledger.trust import HeldReason


@pytest.fixture
def server(store: Store) -> TellingServer:
    return TellingServer(store)


def test_what_a_plan_says_is_believed_with_names_of_the_store(server: TellingServer) -> None:
    own, shared = server.label(), server.label("all", project_id="p2", shared=True)
    point = server.point()
    told = server.ask("h1", server.claim("h1", point, own, shared))
    assert told.problem is None
    assert told.point == BatchPoint(point.id, "uplink", "p1", shared=False, kind="interface")
    assert {label.id: told.labels[label.id] for label in (own, shared)} == {
        own.id: BatchLabel(own.id, "web", "p1", shared=False),
        shared.id: BatchLabel(shared.id, "all", "p2", shared=True),
    }


def test_the_host_is_compared_as_plans_do(server: TellingServer) -> None:
    point = server.point()
    assert server.ask("H1", server.claim("h1", point)).problem is None


def test_told_since_is_the_time_of_the_first_revision_with_the_point_in_a_plan_of_the_host(server: TellingServer) -> None:
    server.label()
    before = time.time_ns()
    point = server.point()
    between = time.time_ns()
    server.change(replace(point, place=InterfacePlace(host="h2", device="eth0")))
    after = time.time_ns()
    for host, bounds in {"h1": (before, between), "h2": (between, after)}.items():
        claim = server.claim("h2", point)
        since = server.ask(host, claim, revision=2).told_since
        assert since is not None
        assert bounds[0] <= since <= bounds[1]


def test_the_line_rate_is_the_present_setting(server: TellingServer) -> None:
    point = server.point()
    claim = server.claim("h1", point)
    assert server.ask("h1", claim).line_rate is None
    server.change(replace(point, line_rate=10**9))
    assert server.ask("h1", claim).line_rate == 10**9


UNTOLD = {
    "a point of another host": ("h2", "uplink", {}, HeldReason.UNTOLD_POINT),
    "a point that never was": ("h1", "nowhere", {}, HeldReason.UNTOLD_POINT),
    "another project's label": ("h1", "uplink", {"labels": ["foreign"]}, HeldReason.UNTOLD_LABEL),
    "a label that never was": ("h1", "uplink", {"labels": ["own", "nothing"]}, HeldReason.UNTOLD_LABEL),
    "a label without rules": ("h1", "uplink", {"labels": ["bare"]}, HeldReason.UNTOLD_LABEL),
    "a digest of other rules": ("h1", "uplink", {"classifier": "b" * 64}, HeldReason.UNKNOWN_CLASSIFIER),
    "the digest of another project": ("h1", "uplink", {"classifier": "foreign"}, HeldReason.UNKNOWN_CLASSIFIER),
    "a revision that is to come": ("h1", "uplink", {"revision": 10**6}, HeldReason.UNKNOWN_REVISION),
    "a label in a gap": ("h1", "uplink", {"classifier": "", "revision": 0, "labels": ["own"]}, HeldReason.UNTOLD_LABEL),
    "nothing wrong": ("h1", "uplink", {"labels": ["own"]}, None),
    "a gap": ("h1", "uplink", {"classifier": "", "revision": 0, "counted": False}, None),
    "a gap elsewhere": ("h2", "uplink", {"classifier": "", "revision": 0, "counted": False}, HeldReason.UNTOLD_POINT),
}


@pytest.mark.parametrize(("host", "at", "changed", "problem"), UNTOLD.values(), ids=UNTOLD.keys())
def test_what_a_host_was_not_told_is_not_believed(
    server: TellingServer, host: str, at: str, changed: dict[str, object], problem: HeldReason | None
) -> None:
    bare = make_label("bare")
    labels = {"own": server.label(), "foreign": server.label(project_id="p2"), "nothing": make_label(), "bare": bare}
    with server.store.writing(OPERATOR) as writer:
        writer.labels.insert([bare])
    points = {"uplink": server.point()}
    foreign = server.point(InterfacePlace(host="h2", device="eth0"), project_id="p2")
    claim = server.claim("h1", points["uplink"])
    if changed.get("classifier") == "foreign":
        changed = changed | {"classifier": server.claim("h2", foreign).classifier}
    changed = {name: value for name, value in changed.items() if name != "labels"} | {
        "label_ids": frozenset(labels[name].id for name in changed.get("labels", [])),  # type: ignore[attr-defined]
        "point_id": points[at].id if at in points else new_id(),
    }
    assert server.ask(host, claim, **changed).problem == problem


def test_each_claim_is_answered_in_order(server: TellingServer) -> None:
    label, point = server.label(), server.point()
    good = server.claim("h1", point, label)
    claims = [good, replace(good, point_id=new_id()), replace(good, label_ids=frozenset({new_id()})), good]
    problems = [None, HeldReason.UNTOLD_POINT, HeldReason.UNTOLD_LABEL, None]
    assert [told.problem for told in server.find("h1", *claims)] == problems


def test_a_shared_point_has_all_labels(server: TellingServer) -> None:
    labels = [server.label(project_id=project) for project in ("p1", "p2")]
    point = server.point(shared=True, project_id="p1")
    assert server.ask("h1", server.claim("h1", point, *labels)).problem is None


def away(server: TellingServer) -> tuple[MeteringLabel, ObservationPoint, Claim]:
    """Tell an agent of a label and a point, and give both with what it claims while it is away."""
    label, point = server.label(), server.point()
    return label, point, server.claim("h1", point, label)


def test_labels_and_points_deleted_since_stay_welcome(server: TellingServer) -> None:
    label, point, claim = away(server)
    server.delete(label)
    server.tell()
    server.delete(point)
    server.tell()
    told = server.ask("h1", claim)
    assert (told.problem, names(told, [label])) == (None, ["web"])
    assert told.point == BatchPoint(point.id, "uplink", "p1", shared=False, kind="interface")
    assert server.ask("h1", claim, classifier="", revision=0, label_ids=frozenset()).problem is None


def test_an_agent_that_was_away_goes_on_by_the_plan_that_it_has(server: TellingServer) -> None:
    _, point, claim = away(server)
    for number in range(3):
        server.label(f"new {number}")
        server.tell()
    server.change(replace(point, project_id="p2"))
    server.tell()
    told = server.ask("h1", claim)
    assert told.problem is None
    assert told.point is not None
    assert told.point.project_id == "p1"


def test_a_point_that_moved_stays_welcome_from_where_it_was_and_is_not_from_elsewhere(server: TellingServer) -> None:
    label, point, old = away(server)
    server.change(replace(point, place=InterfacePlace(host="h2", device="eth0")))
    new = server.claim("h2", point, label)
    assert [server.ask("h1", old).problem, server.ask("h2", new).problem] == [None, None]
    assert server.ask("h1", new).problem == HeldReason.UNTOLD_POINT
    assert server.ask("h3", new).problem == HeldReason.UNTOLD_POINT


def test_a_rename_shows_from_its_time_on_and_before_it_the_old_name(server: TellingServer) -> None:
    label, point, claim = away(server)
    before = Nanoseconds(time.time_ns())
    server.change(replace(label, name="shop"), replace(point, name="core"))
    server.tell()
    for end, expected in {before: ("web", "uplink"), LATER: ("shop", "core"), Nanoseconds(0): ("web", "uplink")}.items():
        told = server.ask("h1", claim, end=end)
        assert told.problem is None
        assert told.point is not None
        assert (names(told, [label]), told.point.name) == ([expected[0]], expected[1])


def test_no_agent_renames_by_a_later_change_of_other_rules(server: TellingServer) -> None:
    label, _, claim = away(server)
    server.label("other")
    server.change(replace(label, name="shop"))
    server.tell()
    assert names(server.ask("h1", claim), [label]) == ["web"]


def test_a_digest_that_is_in_force_again_is_told_again(server: TellingServer) -> None:
    label, point, first = away(server)
    other = server.label("other")
    second = server.claim("h1", point, label, other)
    server.delete(other)
    third = server.claim("h1", point, label)
    assert first.classifier == third.classifier != second.classifier
    assert [server.ask("h1", claim).problem for claim in (first, second, third)] == [None] * 3
    assert server.ask("h1", third, label_ids=second.label_ids).problem == HeldReason.UNTOLD_LABEL
    assert server.ask("h1", second, revision=third.revision).problem == HeldReason.UNKNOWN_CLASSIFIER


def test_what_was_told_to_nobody_is_not_known(server: TellingServer) -> None:
    _, point, claim = away(server)
    briefly = server.label("briefly")
    server.delete(briefly)
    told = server.claim("h1", point, briefly)
    assert told.classifier == claim.classifier
    assert server.ask("h1", told).problem == HeldReason.UNTOLD_LABEL


def test_exporters_are_told_to_their_collector_or_to_all(server: TellingServer) -> None:
    one = server.point(ExporterPlace(address="192.0.2.1", collector_host="h1"))
    every = server.point(ExporterPlace(address="192.0.2.2"))
    asked = [(host, point) for host in ("h1", "h2") for point in (one, every)]
    problems = [server.ask(host, server.claim("h1", point)).problem for host, point in asked]
    assert problems == [None, None, HeldReason.UNTOLD_POINT, None]


def test_a_router_is_believed_of_its_hosts(server: TellingServer) -> None:
    router = server.point(RouterPlace(router_id=new_id(), hosts=("h1", "h2")))
    claim = server.claim("h1", router)
    assert [server.ask(host, claim).problem for host in ("h1", "h2", "h3", "h")] == [
        None,
        None,
        HeldReason.OTHER_HOST,
        HeldReason.OTHER_HOST,
    ]
    assert [len(server.tell(host).points) for host in ("h1", "h2", "h3", "h")] == [1, 1, 0, 0]


def test_a_router_with_a_host_is_nobody_elses_though_all_were_told_of_it(server: TellingServer) -> None:
    router = server.point(RouterPlace(router_id=new_id()))
    claims = {host: server.claim(host, router) for host in ("h1", "h2")}
    assert [server.ask(host, claim).problem for host, claim in claims.items()] == [None, None]
    server.change(replace(router, place=replace(router.place, hosts=("h1",))))  # type: ignore[type-var]
    assert [server.ask(host, claim).problem for host, claim in claims.items()] == [None, HeldReason.OTHER_HOST]
    assert server.ask("h2", claims["h2"], counted=False).problem is None
    server.change(replace(router, place=replace(router.place, hosts=("h1", "h2"))))  # type: ignore[type-var]
    assert [server.ask(host, claim).problem for host, claim in claims.items()] == [None, None]
    server.change(replace(router, place=replace(router.place, hosts=("h2",))))  # type: ignore[type-var]
    assert server.ask("h1", claims["h1"]).problem is None
