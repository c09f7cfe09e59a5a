"""A list that is remembered is never older than the last change, and never another caller's."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from litestar import Request, Response

from tests.api.neutron.callers import LABELS, RULES, Caller
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.control.revision import LatestRevision
from venturi.core.domain.interval import Nanoseconds
from venturi.interfaces.api.neutron.remembered import MOST_ANSWERS, MOST_OCTETS, RememberedLists


def _names(caller: Caller, query: str = "") -> list[str]:
    status, document = caller.ask("GET", f"{LABELS}{query}")
    assert status == 200
    return sorted(label["name"] for label in document["metering_labels"])


def test_a_list_follows_every_change(anyone: Caller) -> None:
    before = _names(anyone)
    for number in range(3):
        label = anyone.make_label(name=f"remembered-{number}")
        assert _names(anyone) == _names(anyone) == sorted([*before, f"remembered-{number}"])
        assert _names(anyone, f"?name=remembered-{number}") == [f"remembered-{number}"]
        rule = {"metering_label_id": label, "direction": "ingress", "source_ip_prefix": "10.0.0.0/8"}
        assert anyone.ask("GET", f"{RULES}?metering_label_id={label}")[1] == {"metering_label_rules": []}
        assert anyone.ask("POST", RULES, {"metering_label_rule": rule})[0] == 201
        assert len(anyone.ask("GET", f"{RULES}?metering_label_id={label}")[1]["metering_label_rules"]) == 1
        assert anyone.send("DELETE", f"{LABELS}/{label}")[0] == 204
        assert _names(anyone) == before


def test_a_remembered_list_is_the_same_answer(anyone: Caller) -> None:
    label = anyone.make_label(name="twice")
    answers = [anyone.send("GET", LABELS) for _ in range(3)]
    assert len({(status, body, headers["Content-Type"]) for status, body, headers in answers}) == 1
    assert len({headers["X-Openstack-Request-Id"] for _, _, headers in answers}) == 3
    assert "twice" in {label["name"] for label in json.loads(answers[0][1])["metering_labels"]}
    assert anyone.send("DELETE", f"{LABELS}/{label}")[0] == 204


@pytest.mark.parametrize("limit", ["limit=1", "l%69mit=1", "%6c%69%6d%69%74=1"])
def test_a_page_leads_to_the_host_that_its_own_caller_asked_for(anyone: Caller, limit: str) -> None:
    anyone.make_label(name="first")
    for host in ("a.localhost", "b.localhost"):
        page = anyone.server.request("GET", f"{LABELS}?{limit}", headers={"Host": host}).json()
        assert {link["href"].partition("/v2.0")[0] for link in page["metering_labels_links"]} == {f"http://{host}"}


def _ask(lists: RememberedLists, query: bytes, make: Callable[[], Response[bytes]]) -> bytes:
    scope: Any = {"type": "http", "query_string": query, "state": {}}
    request: Request[Principal, Any, Any] = Request(scope)
    caller = Principal(user_id="u", project_id="p", roles=IMPLIED_ROLES[Role.READER])
    return lists.answer("labels", request, caller, make).content


def test_lists_of_another_history_are_forgotten_though_its_latest_revision_has_the_same_number() -> None:
    latest = [LatestRevision(7, Nanoseconds(70))]
    lists = RememberedLists(lambda: latest[0])
    assert _ask(lists, b"", lambda: Response(b"as it was")) == b"as it was"
    assert _ask(lists, b"", lambda: Response(b"made again")) == b"as it was"
    for put_back in (LatestRevision(7, Nanoseconds(71)), LatestRevision(3, Nanoseconds(30))):
        latest[0] = put_back
        answer = Response(repr(put_back).encode())
        assert _ask(lists, b"", partial(Response, answer.content)) == answer.content
        assert _ask(lists, b"", lambda: Response(b"made again")) == answer.content


def test_a_list_is_not_remembered_if_the_revision_became_another_while_it_was_made() -> None:
    latest = [LatestRevision(7, Nanoseconds(70))]
    lists = RememberedLists(lambda: latest[0])

    def make() -> Response[bytes]:
        latest[0] = LatestRevision(8, Nanoseconds(80))
        return Response(b"of the eighth")

    assert _ask(lists, b"", make) == b"of the eighth"
    latest[0] = LatestRevision(7, Nanoseconds(70))
    assert _ask(lists, b"", lambda: Response(b"of the seventh")) == b"of the seventh"


def test_what_lists_are_remembered_by_is_bounded_too() -> None:
    lists = RememberedLists(lambda: LatestRevision(1, Nanoseconds(1)))
    made = []

    def ask(query: bytes) -> None:
        _ask(lists, query, lambda: made.append(query) or Response(b"{}"))  # type: ignore[func-returns-value]

    for number in range(3_000):
        ask(b"name=%d" % number)
        assert len(lists._answers) <= MOST_ANSWERS
    for number in range(2_000):
        ask(b"name=%s%d" % (b"a" * 8_000, number))
        assert sum(len(key[1]) + len(answer) for key, answer in lists._answers.items()) <= MOST_OCTETS
    assert len(made) == 5_000
    ask(b"name=%s%d" % (b"a" * 8_000, 1_999))
    assert len(made) == 5_000
