"""Observation points, tokens and leases in the store."""

from dataclasses import replace

import pytest

from tests.support.control_values import OPERATOR, make_point, new_id
from venturi.adapters.store.store import Store
from venturi.adapters.store.tables.token_changes import LOCAL, MOST_CHANGES
from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.control.principal import Role
from venturi.core.domain.control.token import Token, TokenEvent
from venturi.core.domain.errors import (
    ConflictError,
    DuplicatePointError,
    InvalidPointError,
    PointNotFoundError,
    StoreError,
    TokenNotFoundError,
)
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.domain.point import (
    ExporterPlace,
    Hook,
    InterfacePlace,
    ObservationPoint,
    PointKind,
    PointPlace,
    PointTraffic,
    RouterPlace,
)

PLACES: list[PointPlace] = [
    InterfacePlace(host="h1", device="eth0"),
    InterfacePlace(host="h1", device="eth0", namespace="blue"),
    InterfacePlace(host="h2", device="eth0"),
    RouterPlace(router_id="5f0c0a0e-0000-4000-8000-000000000001"),
    RouterPlace(router_id="5f0c0a0e-0000-4000-8000-000000000002", hook=Hook.TC),
    ExporterPlace(address="192.0.2.1"),
    ExporterPlace(address="192.0.2.1", observation_domain=0),
    ExporterPlace(address="192.0.2.1", observation_domain=0xFFFF_FFFF, outside_interfaces=(3, 1, 0xFFFF_FFFF)),
    ExporterPlace(address="2001:DB8::1", collector_host="h1"),
    ExporterPlace(address="2001:db8::1", collector_host="h2"),
]

SAME_PLACES: dict[str, tuple[PointPlace, PointPlace]] = {
    "interface": (InterfacePlace(host="h1", device="eth0"), InterfacePlace(host="h1", device="eth0")),
    "interface at another hook": (InterfacePlace(host="h1", device="eth0"), InterfacePlace(host="h1", device="eth0", hook=Hook.TC)),
    "router": (RouterPlace(router_id="r"), RouterPlace(router_id="r")),
    "exporter spelled otherwise": (ExporterPlace(address="2001:db8::1"), ExporterPlace(address="2001:0DB8:0::1")),
    "interfaces in another order": (
        ExporterPlace(address="192.0.2.1", outside_interfaces=(1, 2)),
        ExporterPlace(address="192.0.2.1", outside_interfaces=(2, 1)),
    ),
}


def make_token(name: str = "ci", *, expires_at: int | None = None) -> Token:
    ends = None if expires_at is None else Nanoseconds(expires_at)
    return Token(id=new_id(), name=name, project_id="p1", role=Role.READER, created_at=Nanoseconds(5), expires_at=ends)


def test_points_come_out_as_they_went_in(store: Store) -> None:
    points = [replace(make_point(place, name=f"n{number}"), traffic=PointTraffic.BOTH) for number, place in enumerate(PLACES)]
    with store.writing(OPERATOR) as writer:
        for point in points:
            writer.points.insert(point)
    with store.reading() as reader:
        assert [reader.points.find(point.id) for point in points] == points
        assert [point.name for point in reader.points.list(Listing(sort=(SortKey("name", ascending=True),)))] == [p.name for p in points]
        assert reader.points.find(new_id()) is None
        assert reader.points.find("\0") is None


def test_a_host_has_its_interfaces_all_routers_and_its_exporters(store: Store) -> None:
    with store.writing(OPERATOR) as writer:
        for place in PLACES:
            writer.points.insert(make_point(place))
        assert {point.place for point in writer.points.on_host("h1")} == set(PLACES) - {PLACES[2], PLACES[-1]}
        assert {point.place for point in writer.points.on_host("h3")} == set(PLACES[3:8])
        assert writer.points.on_host("\0") == []


@pytest.mark.parametrize("case", SAME_PLACES)
def test_no_two_points_are_at_one_place(store: Store, case: str) -> None:
    first, second = SAME_PLACES[case]
    elsewhere = make_point(InterfacePlace(host="h9", device="lo"))
    with store.writing(OPERATOR) as writer:
        writer.points.insert(make_point(first))
        writer.points.insert(elsewhere)
        with pytest.raises(DuplicatePointError, match="Another observation point is at the same place"):
            writer.points.insert(make_point(second, project_id="p2"))
        with pytest.raises(DuplicatePointError):
            writer.points.update(replace(elsewhere, kind=make_point(second).kind, place=second))
        assert writer.points.find(elsewhere.id) == elsewhere
        assert len(writer.points.list(Listing())) == 2


def test_points_change_and_go(store: Store) -> None:
    point = make_point()
    changed = replace(point, name="after", shared=True, place=InterfacePlace(host="h2", device="eth1"))
    with store.writing(OPERATOR) as writer:
        writer.points.insert(point)
        with pytest.raises(ConflictError, match="there is an observation point of this id already"):
            writer.points.insert(replace(make_point(RouterPlace(router_id="r")), id=point.id))
    with store.writing(OPERATOR) as writer:
        writer.points.update(point)
        assert writer.revision is None
        writer.points.update(changed)
        assert writer.points.find(point.id) == changed
        assert writer.points.delete(point.id)
        assert not writer.points.delete(point.id)
        with pytest.raises(PointNotFoundError, match=f"^Observation point '{point.id}' does not exist\\.$"):
            writer.points.update(changed)


def test_points_of_a_project(store: Store) -> None:
    own, shared = make_point(), make_point(RouterPlace(router_id="r"), project_id="p2", shared=True)
    with store.writing(OPERATOR) as writer:
        writer.points.insert(own)
        writer.points.insert(shared)
        assert writer.points.list(Listing(), project_id="p1") == [own]
        assert {point.id for point in writer.points.list(Listing(), project_id="p1", with_shared=True)} == {own.id, shared.id}


def test_a_point_that_is_nowhere_is_not_kept(store: Store) -> None:
    capture = ObservationPoint(id=new_id(), name="trace.pcap", kind=PointKind.CAPTURE)
    with store.writing(OPERATOR) as writer, pytest.raises(InvalidPointError, match="is nowhere"):
        writer.points.insert(capture)


def test_tokens_come_out_as_they_went_in_and_make_no_revision(store: Store) -> None:
    tokens = [make_token(), replace(make_token(expires_at=(1 << 63) - 1), role=Role.AGENT, agent_id="a1", host="h1")]
    with store.writing(OPERATOR) as writer:
        for number, token in enumerate(tokens):
            writer.tokens.insert(token, bytes([number]) * 64)
        assert writer.revision is None
        with pytest.raises(ConflictError):
            writer.tokens.insert(tokens[0], b"other")
    with store.reading() as reader:
        assert [reader.tokens.find(token.id) for token in tokens] == tokens
        assert [reader.tokens.secret_digest(token.id) for token in tokens] == [bytes(64), b"\x01" * 64]
        assert reader.tokens.find("\0") is None
        assert reader.tokens.secret_digest("\0") is None
        assert reader.tokens.secret_digest(new_id()) is None
    assert store.latest_revision() == 0


def test_a_token_is_used_and_revoked_once(store: Store) -> None:
    token, other = make_token(), make_token()
    with store.writing(OPERATOR) as writer:
        writer.tokens.insert(token, b"digest")
        writer.tokens.insert(other, b"digest")
        writer.tokens.touch(token.id, Nanoseconds(7))
        writer.tokens.revoke(token.id, Nanoseconds(8))
        writer.tokens.revoke(token.id, Nanoseconds(9))
        writer.tokens.touch(new_id(), Nanoseconds(7))
        assert writer.tokens.find(token.id) == replace(token, last_used_at=Nanoseconds(7), revoked_at=Nanoseconds(8))
        assert writer.tokens.find(other.id) == other
        with pytest.raises(TokenNotFoundError):
            writer.tokens.revoke(new_id(), Nanoseconds(1))


def test_tokens_are_listed_by_what_some_of_them_lack(store: Store) -> None:
    tokens = [make_token(f"t{number}", expires_at=None if number % 2 else number) for number in range(6)]
    sort = (SortKey("expires_at", ascending=False), SortKey("name", ascending=True))
    with store.writing(OPERATOR) as writer:
        for token in tokens:
            writer.tokens.insert(token, b"digest")
        found: list[Token] = []
        while page := writer.tokens.list(Listing(sort=sort, limit=2, marker=found[-1].id if found else None)):
            found += page
    assert [token.name for token in found] == ["t4", "t2", "t0", "t1", "t3", "t5"]


LEASES = {
    "again before it ends": ("a1", 5, "a1"),
    "another before it ends": ("a2", 9, "a1"),
    "another when it ends": ("a2", 10, "a2"),
    "another long after": ("a2", 1000, "a2"),
}


@pytest.mark.parametrize("case", LEASES)
def test_a_plan_is_leased_to_one_agent(store: Store, case: str) -> None:
    agent, now, holder = LEASES[case]
    with store.writing(OPERATOR) as writer:
        assert writer.leases.take("h1", "a1", Nanoseconds(0), Nanoseconds(10)).agent_id == "a1"
        assert writer.leases.take("h2", "a2", Nanoseconds(0), Nanoseconds(10)).agent_id == "a2"
    with store.writing(OPERATOR) as writer:
        lease = writer.leases.take("h1", agent, Nanoseconds(now), Nanoseconds(now + 10))
        assert (lease.agent_id, lease.until) == (holder, 10 if holder != agent else now + 10)
        assert writer.leases.find("h1") == lease
        assert writer.revision is None


def test_a_clock_that_was_set_back_locks_no_plan(store: Store) -> None:
    hour = 3600 * SECOND
    with store.writing(OPERATOR) as writer:
        writer.leases.take("h", "a1", Nanoseconds(hour), Nanoseconds(hour + SECOND))
        assert writer.leases.take("h", "a2", Nanoseconds(hour - 30 * SECOND), Nanoseconds(hour - 29 * SECOND)).agent_id == "a1"
        assert writer.leases.take("h", "a2", Nanoseconds(0), Nanoseconds(SECOND)).agent_id == "a2"


def test_what_is_done_to_tokens_is_numbered_and_makes_no_revision(store: Store) -> None:
    tokens = [make_token("first"), replace(make_token("second"), role=Role.AGENT, agent_id="a1", host="h1")]
    caller = replace(OPERATOR, token_id=new_id())
    with store.writing(OPERATOR) as writer:
        writer.token_changes.note(TokenEvent.CREATED, tokens, caller, Nanoseconds(7))
        writer.token_changes.note(TokenEvent.REVOKED, tokens[1:], LOCAL, Nanoseconds(8))
        assert writer.revision is None
    with store.reading() as reader:
        changes = reader.token_changes.list(Listing())
        assert [(change.number, change.at, change.change, change.token_id) for change in changes] == [
            (1, 7, TokenEvent.CREATED, tokens[0].id),
            (2, 7, TokenEvent.CREATED, tokens[1].id),
            (3, 8, TokenEvent.REVOKED, tokens[1].id),
        ]
        assert [(change.author, change.author_token_id) for change in changes[1:]] == [(OPERATOR.user_id, caller.token_id), ("local", None)]
        assert (changes[1].role, changes[1].agent_id, changes[1].host) == (Role.AGENT, "a1", "h1")
        assert reader.token_changes.list(Listing(filters={"token_id": (tokens[1].id,)}, marker="2")) == changes[2:]
        with pytest.raises(StoreError, match="reads cannot write"):
            reader.token_changes.note(TokenEvent.CREATED, tokens, LOCAL, Nanoseconds(9))


def test_no_more_changes_of_tokens_are_kept_than_there_is_room_for(store: Store) -> None:
    token = make_token()
    with store.writing(OPERATOR) as writer:
        writer.token_changes.note(TokenEvent.CREATED, [token] * (MOST_CHANGES - 1), LOCAL, Nanoseconds(7))
    for _ in range(3):
        with store.writing(OPERATOR) as writer:
            writer.token_changes.note(TokenEvent.REVOKED, [token], LOCAL, Nanoseconds(8))
    with store.reading() as reader:
        kept = reader.token_changes.list(Listing())
    assert (kept[0].number, kept[-1].number, len(kept)) == (3, MOST_CHANGES + 2, MOST_CHANGES)
    assert [change.change for change in kept[-4:]] == [TokenEvent.CREATED, *[TokenEvent.REVOKED] * 3]
