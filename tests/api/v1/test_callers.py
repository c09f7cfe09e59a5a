"""``GET /v1/caller``: whom the server takes the caller for."""

import pytest

from tests.api.v1.conftest import OTHER, OWN, Caller


def test_without_authentication_everybody_is_an_administrator_of_the_default_project(anyone: Caller) -> None:
    status, caller = anyone.ask("GET", "/v1/caller")
    assert (status, caller["project_id"], caller["roles"]) == (200, "default", ["admin", "manager", "member", "reader"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("manager", {"project_id": OWN, "roles": ["manager", "member", "reader"], "agent_id": None, "host": None}),
        ("other reader", {"project_id": OTHER, "roles": ["reader"], "agent_id": None, "host": None}),
        ("none", {"project_id": OWN, "roles": [], "agent_id": None, "host": None}),
        ("agent", {"project_id": OWN, "roles": ["agent"], "agent_id": "agent-1", "host": "edge-1"}),
    ],
)
def test_a_token_says_who_its_bearer_is(callers: dict[str, Caller], name: str, expected: dict[str, object]) -> None:
    status, caller = callers[name].ask("GET", "/v1/caller")
    assert (status, {key: value for key, value in caller.items() if key != "user_id"}) == (200, expected)
    assert callers[name].secret not in caller.values()
