"""Callers, tokens and observation points refuse what contradicts itself."""

from dataclasses import replace

import pytest

from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.control.token import Token
from venturi.core.domain.errors import InvalidPointError, InvalidPrefixError, InvalidTokenRequestError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.point import ExporterPlace, InterfacePlace, ObservationPoint, PointKind, PointPlace, PointTraffic, RouterPlace

READER = Token(id="t", name="", project_id="p", role=Role.READER, created_at=Nanoseconds(0))
AGENT = Token(id="t", name="edge", project_id="p", role=Role.AGENT, created_at=Nanoseconds(0), agent_id="a", host="h")

CONTRADICTORY_TOKENS = {
    "an agent's token without a host": {"role": Role.AGENT, "agent_id": "a"},
    "an agent's token without an agent": {"role": Role.AGENT, "host": "h"},
    "an agent's token bound to nothing": {"role": Role.AGENT},
    "a reader's token bound to a host": {"host": "h"},
    "a reader's token bound to both": {"agent_id": "a", "host": "h"},
}


@pytest.mark.parametrize("change", CONTRADICTORY_TOKENS.values(), ids=CONTRADICTORY_TOKENS.keys())
def test_a_contradictory_token_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(InvalidTokenRequestError, match="bound to an agent id and a host"):
        replace(READER, **change)  # type: ignore[arg-type]


def test_a_token_stands_for_a_caller_with_all_implied_roles() -> None:
    manager = replace(READER, role=Role.MANAGER)
    assert manager.principal == Principal(user_id="t", project_id="p", roles=frozenset({Role.MANAGER, Role.MEMBER, Role.READER}))
    assert AGENT.principal == Principal(user_id="edge", project_id="p", roles=frozenset({Role.AGENT}), agent_id="a", host="h")


def test_only_the_role_admin_makes_an_administrator() -> None:
    administrators = {role for role in Role if replace(AGENT if role is Role.AGENT else READER, role=role).principal.is_admin}
    assert administrators == {Role.ADMIN}
    assert IMPLIED_ROLES.keys() == set(Role)


@pytest.mark.parametrize(
    ("expires_at", "revoked_at", "valid"),
    [(None, None, True), (101, None, True), (100, None, False), (None, 50, False), (101, 50, False)],
)
def test_a_token_opens_until_it_expires_or_is_revoked(expires_at: int | None, revoked_at: int | None, valid: bool) -> None:
    times = {"expires_at": expires_at, "revoked_at": revoked_at}
    token = replace(READER, **{name: Nanoseconds(time) for name, time in times.items() if time is not None})  # type: ignore[arg-type]
    assert token.valid_at(Nanoseconds(100)) is valid


def test_the_kind_of_a_point_is_that_of_its_place() -> None:
    places: list[PointPlace] = [InterfacePlace(host="h", device="eth0"), RouterPlace(router_id="r"), ExporterPlace(address="192.0.2.1")]
    kinds = [PointKind.INTERFACE, PointKind.ROUTER, PointKind.EXPORTER]
    for place, kind in zip(places, kinds, strict=True):
        assert ObservationPoint(name="uplink", kind=kind, place=place).place is place
        with pytest.raises(InvalidPointError, match="cannot be described as"):
            ObservationPoint(name="uplink", kind=PointKind.CAPTURE, place=place)


@pytest.mark.parametrize("numbers", [{"observation_domain": 1 << 32}, {"observation_domain": -1}, {"outside_interfaces": (1, 1 << 32)}])
def test_an_exporters_numbers_have_32_bits(numbers: dict[str, int]) -> None:
    with pytest.raises(InvalidPointError, match="go from 0 to 4294967295"):
        ExporterPlace(address="192.0.2.1", **numbers)  # type: ignore[arg-type]


def test_an_exporter_has_an_address() -> None:
    with pytest.raises(InvalidPrefixError, match="'edge' does not appear to be"):
        ExporterPlace(address="edge")


def test_what_counts_at_a_point_is_forwarded_unless_said_otherwise() -> None:
    place = InterfacePlace(host="h", device="eth0")
    assert ObservationPoint(name="uplink", kind=PointKind.INTERFACE, place=place).traffic is PointTraffic.FORWARDED
    assert [str(traffic) for traffic in (PointTraffic.LOCAL, PointTraffic.BOTH)] == ["local", "both"]
