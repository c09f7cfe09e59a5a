"""What a caller may not read answers reads, changes and deletions as an id that there is not: same status, same body, same work.

Every route that names a resource, and every operation that can, has a case here. OpenStack Networking says in other words of a label that
another project shares; those recorded answers stay (``RECORDED``).
"""

import math
import re
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from litestar import Router
from sqlalchemy import event

from tests.api.v1.conftest import OTHER, OWN, Caller
from tests.api.v1.test_alarms import STATUS, eventually, report
from tests.api.v1.test_ledger import WEB, send
from tests.support.batches import SpoolOfTests, make_interval
from tests.support.databases import open_store
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import NotFoundError
from venturi.interfaces.api.neutron.routes import neutron_routes
from venturi.interfaces.api.operations import operations_routes
from venturi.interfaces.api.v1.routes import v1_routes
from venturi.services.control.labels import LabelControl
from venturi.services.control.points import PointControl
from venturi.services.control.policy import OPERATION, POLICY, Operation
from venturi.services.control.rules import RuleControl

Callers = dict[str, Caller]

CALLERS = ("manager", "member", "reader", "none", "agent")
_LABELS, _RULES = "/v2.0/metering/metering-labels", "/v2.0/metering/metering-label-rules"
_LABEL_KINDS = ("label", "shared label")
_RULE_KINDS = ("rule", "rule of a shared label")
_TEN = {"direction": "egress", "source_ip_prefix": "10.0.0.0/8"}
_UNKNOWN_NUMBER = "987654"

TIMES, ROUNDS, NOISE = 40, 6, 0.25
"""How often each of two ids is asked for by turns in a round, how many rounds there are at most, and by what share the least may differ."""


@dataclass(frozen=True)
class Case:
    """A request that names a resource of other people by ``{id}``; ``path`` is the route's where it has a parameter."""

    method: str
    path: str
    operation: Operation
    kinds: tuple[str, ...]
    query: str = ""
    form: Any = None


def _contract(kind: str, boundary: str = "edge") -> dict[str, object]:
    """Describe a contract with a member of a kind."""
    member = {"kind": kind, "id": OTHER if kind == "project" else "{id}"}
    return {"name": "theirs", "boundary": boundary, "members": [member], "measure": {"kind": "volume"}, "unit": "GB"}


CASES = [
    *(Case(method, f"{_LABELS}/{{identifier}}", Operation.SHOW_LABEL, _LABEL_KINDS) for method in ("GET", "HEAD")),
    Case("PUT", f"{_LABELS}/{{identifier}}", Operation.SHOW_LABEL, _LABEL_KINDS, form={"metering_label": {}}),
    Case("DELETE", f"{_LABELS}/{{identifier}}", Operation.DELETE_LABEL, _LABEL_KINDS),
    Case("GET", _LABELS, Operation.LIST_LABELS, _LABEL_KINDS, query="marker={id}&limit=1"),
    Case("GET", _LABELS, Operation.LIST_LABELS, _LABEL_KINDS, query="id={id}"),
    *(Case(method, f"{_RULES}/{{identifier}}", Operation.SHOW_RULE, _RULE_KINDS) for method in ("GET", "HEAD")),
    Case("PUT", f"{_RULES}/{{identifier}}", Operation.SHOW_RULE, _RULE_KINDS, form={"metering_label_rule": {}}),
    Case("DELETE", f"{_RULES}/{{identifier}}", Operation.DELETE_RULE, _RULE_KINDS),
    Case("GET", _RULES, Operation.LIST_RULES, _RULE_KINDS, query="marker={id}&limit=1"),
    Case("GET", _RULES, Operation.LIST_RULES, _LABEL_KINDS, query="metering_label_id={id}"),
    Case("POST", _RULES, Operation.CREATE_RULE, _LABEL_KINDS, form={"metering_label_rule": {"metering_label_id": "{id}", **_TEN}}),
    Case("GET", "/v1/labels", Operation.LIST_LABELS, _LABEL_KINDS, query="marker={id}"),
    Case("GET", "/v1/labels", Operation.LIST_LABELS, _LABEL_KINDS, query="id={id}"),
    Case("GET", "/v1/labels/{label_id}", Operation.SHOW_LABEL, _LABEL_KINDS),
    Case("PATCH", "/v1/labels/{label_id}", Operation.UPDATE_LABEL, _LABEL_KINDS, form={"name": "ours"}),
    Case("GET", "/v1/labels/{label_id}/rules", Operation.LIST_RULES, _LABEL_KINDS),
    Case("PUT", "/v1/labels/{label_id}/rules", Operation.REPLACE_RULES, _LABEL_KINDS, form={"rules": [_TEN]}),
    Case("POST", "/v1/apply", Operation.APPLY, _LABEL_KINDS, form={"change_labels": [{"id": "{id}", "name": "ours", "rules": []}]}),
    Case("POST", "/v1/apply", Operation.APPLY, _LABEL_KINDS, form={"delete_labels": ["{id}"]}),
    Case("POST", "/v1/apply", Operation.APPLY, _LABEL_KINDS, form={"create_rules": [{"metering_label_id": "{id}", **_TEN}]}),
    Case("POST", "/v1/apply", Operation.APPLY, _RULE_KINDS, form={"delete_rules": ["{id}"]}),
    Case("GET", "/v1/observation-points", Operation.LIST_POINTS, ("point", "shared point"), query="marker={id}"),
    Case("GET", "/v1/observation-points", Operation.LIST_POINTS, ("point", "shared point"), query="id={id}"),
    Case("GET", "/v1/observation-points/{point_id}", Operation.SHOW_POINT, ("point", "shared point", "own point")),
    Case("PATCH", "/v1/observation-points/{point_id}", Operation.UPDATE_POINT, ("point", "shared point"), form={"name": "ours"}),
    Case("DELETE", "/v1/observation-points/{point_id}", Operation.DELETE_POINT, ("point", "shared point")),
    Case(
        "POST",
        "/v1/explain",
        Operation.EXPLAIN,
        ("point", "shared point"),
        form={"source": "10.0.0.1", "destination": "10.0.0.2", "direction": "egress", "observation_point_id": "{id}"},
    ),
    Case("GET", "/v1/contracts", Operation.LIST_CONTRACTS, ("contract",), query="marker={id}"),
    Case("GET", "/v1/contracts", Operation.LIST_CONTRACTS, ("contract",), query="id={id}"),
    Case("POST", "/v1/contracts", Operation.CREATE_CONTRACT, _LABEL_KINDS, form=_contract("label")),
    Case("POST", "/v1/contracts", Operation.CREATE_CONTRACT, ("point", "shared point"), form=_contract("point")),
    Case("GET", "/v1/contracts/{contract_id}", Operation.SHOW_CONTRACT, ("contract",)),
    Case("PATCH", "/v1/contracts/{contract_id}", Operation.UPDATE_CONTRACT, ("contract",), form={"name": "ours"}),
    Case("DELETE", "/v1/contracts/{contract_id}", Operation.DELETE_CONTRACT, ("contract",)),
    Case("GET", "/v1/contracts/{contract_id}/measure", Operation.MEASURE_CONTRACT, ("contract",)),
    Case("GET", "/v1/contracts/{contract_id}/samples", Operation.SHOW_SAMPLES, ("contract",)),
    Case("POST", "/v1/contracts/{contract_id}/statements", Operation.CLOSE_STATEMENT, ("contract",), form={"period": "2026-01"}),
    Case("GET", "/v1/contracts/{contract_id}/findings", Operation.CHECK_STATEMENT, ("contract",)),
    Case("GET", "/v1/statements", Operation.LIST_STATEMENTS, ("statement",), query="marker={id}"),
    Case("GET", "/v1/statements", Operation.LIST_STATEMENTS, ("contract",), query="contract_id={id}"),
    Case("GET", "/v1/statements/{number}", Operation.SHOW_STATEMENT, ("statement",)),
    Case("GET", "/v1/statements/{number}/document", Operation.EXPORT_STATEMENT, ("statement",)),
    Case("GET", "/v1/statements/{number}/lines", Operation.EXPORT_STATEMENT, ("statement",)),
    Case("GET", "/v1/statements/{number}/verification", Operation.VERIFY_STATEMENT, ("statement",)),
    Case("POST", "/v1/statements/{number}/voids", Operation.VOID_STATEMENT, ("statement",), form={"reason": "r"}),
    Case("GET", "/v1/measures", Operation.LIST_MEASURES, ("contract",), query="marker={id}"),
    Case("GET", "/v1/measures", Operation.LIST_MEASURES, ("contract",), query="id={id}"),
    Case("GET", "/v1/usage", Operation.READ_USAGE, _LABEL_KINDS, query="label_id={id}&{hour}"),
    Case("GET", "/v1/usage", Operation.READ_USAGE, ("point",), query="observation_point_id={id}&{hour}"),
    Case("GET", "/v1/usage/points", Operation.READ_POINT_TOTALS, ("point", "shared point"), query="observation_point_id={id}&{hour}"),
    Case("GET", "/v1/tokens", Operation.LIST_TOKENS, ("token",), query="marker={id}"),
    Case("GET", "/v1/tokens/{token_id}", Operation.SHOW_TOKEN, ("token",)),
    Case("DELETE", "/v1/tokens/{token_id}", Operation.REVOKE_TOKEN, ("token",)),
    Case("POST", "/v1/tokens/{token_id}/rotations", Operation.ROTATE_TOKEN, ("token",), form={}),
    Case("GET", "/v1/token-changes", Operation.LIST_TOKEN_CHANGES, ("number",), query="marker={id}"),
    Case("GET", "/v1/revisions", Operation.LIST_REVISIONS, ("number",), query="marker={id}"),
    Case("GET", "/v1/revisions/{number}", Operation.SHOW_REVISION, ("number",)),
    Case("GET", "/v1/revisions/{number}/state", Operation.SHOW_REVISION, ("number",)),
    Case("GET", "/v1/plans/{host}", Operation.READ_PLAN, ("host",)),
    Case("GET", "/v1/alarms", Operation.LIST_ALARMS, ("alarm",), query="marker={id}"),
    Case("PUT", "/v1/alarms/{alarm_id}/acknowledgement", Operation.ACKNOWLEDGE_ALARM, ("alarm",)),
    Case("GET", "/v1/agents", Operation.LIST_AGENTS, ("agent",), query="marker={id}"),
    Case("GET", "/v1/agents/{agent_id}", Operation.SHOW_AGENT, ("agent",)),
    Case("PUT", "/v1/agents/{agent_id}", Operation.PUT_STATUS, ("agent",), form=STATUS),
    Case("DELETE", "/v1/agents/{agent_id}", Operation.FORGET_AGENT, ("agent",)),
    Case(
        "POST",
        "/v1/corrections",
        Operation.POST_CORRECTION,
        ("number",),
        form={"reason": "r", "entries": [{"posting": "{number}", "ordinal": 0}]},
    ),
    Case("GET", "/v1/held", Operation.LIST_HELD, ("number",), query="marker={id}"),
    Case("POST", "/v1/acceptances", Operation.ACCEPT_HELD, ("number",), form={"reason": "r", "posting": "{number}"}),
    Case("POST", "/v1/rejections", Operation.REJECT_HELD, ("number",), form={"reason": "r", "posting": "{number}"}),
    Case("GET", "/v1/spools", Operation.LIST_SPOOLS, ("spool",), query="marker={id}"),
    Case("GET", "/v1/spools/{spool_id}", Operation.SHOW_SPOOL, ("spool",)),
    Case("GET", "/v1/postings", Operation.LIST_POSTINGS, ("number",), query="marker={id}"),
    Case("GET", "/v1/postings/{number}", Operation.SHOW_POSTING, ("number",)),
]

NOTHING_NAMED = {
    Operation.DISCOVER: "the same for everybody",
    Operation.CHECK_HEALTH: "the same for everybody",
    Operation.READ_METRICS: "the same for everybody",
    Operation.SHOW_CALLER: "about the caller",
    Operation.CREATE_LABEL: "names a project, of which nothing is said",
    Operation.CREATE_POINT: "for administrators, who read all",
    Operation.CREATE_TOKEN: "for administrators, who read all",
    Operation.POST_BATCH: "for agents, who are believed about what their hosts were told (tests of trust)",
}
"""Operations that name no resource of which a caller could learn anything."""

RECORDED = {
    (method, path)
    for method, path in (
        ("GET", f"{_LABELS}/{{identifier}}"),
        ("PUT", f"{_LABELS}/{{identifier}}"),
        ("DELETE", f"{_LABELS}/{{identifier}}"),
    )
} | {("GET", _LABELS)}
"""Where OpenStack Networking answers otherwise for a shared label than for none."""

HIDDEN = b'{"NeutronError":{"type":"HTTPNotFound","message":"The resource could not be found.","detail":""}}'


@pytest.fixture(scope="module")
def hidden(callers: Callers) -> dict[str, str]:
    """A resource of each kind that is not for callers of the project ``own`` who are no administrators, by its id."""
    admin = callers["admin"]
    labels = {kind: admin.make_label(name=kind, project_id=OTHER, shared=kind.startswith("shared")) for kind in _LABEL_KINDS}
    for label in labels.values():
        admin.give_rules(label, _TEN)
    rules = [admin.ask("GET", f"/v1/labels/{label}/rules")[1]["rules"][0]["id"] for label in labels.values()]
    place = {"kind": "interface", "host": "edge-2"}
    points = {
        kind: admin.make(
            "/v1/observation-points",
            {"name": kind, "device": f"e{number}", "project_id": project, "shared": kind.startswith("shared"), **place},
        )["id"]
        for number, (kind, project) in enumerate([("point", OTHER), ("shared point", OTHER), ("own point", OWN)])
    }
    spool = SpoolOfTests(agent_id="agent-2")
    assert send(admin, spool.seal(make_interval(0, usage=WEB)))[0] == 200
    alarm = {"kind": "plan_refused", "subject": "", "sentence": "no plan", "count": 1}
    assert report(admin, alarm, path="/v1/agents/agent-2")[0] in {200, 204}
    raised = eventually(lambda: admin.ask("GET", "/v1/alarms?kind=plan_refused")[1]["alarms"], bool)[0]["id"]
    contract = admin.make("/v1/contracts", {**_contract("project", points["point"]), "project_id": OTHER})["id"]
    said = {**_contract("project", points["point"]), "name": "closed", "project_id": OTHER, "begins_at": "2026-01-01T00:00:00Z"}
    closed = admin.make("/v1/contracts", said)["id"]
    statement = admin.make(f"/v1/contracts/{closed}/statements", {"period": "2026-01"})["number"]
    token = admin.make("/v1/tokens", {"role": "reader", "name": "theirs", "project_id": OTHER})["id"]
    return {
        **labels,
        **dict(zip(_RULE_KINDS, rules, strict=True)),
        **points,
        "contract": contract,
        "statement": str(statement),
        "token": token,
        "number": "1",
        "host": "edge-2",
        "alarm": raised,
        "agent": "agent-2",
        "spool": spool.spool_id,
    }


def unknown(kind: str) -> str:
    """Give an id of the kind that nothing has."""
    known = {"number": _UNKNOWN_NUMBER, "statement": _UNKNOWN_NUMBER, "host": "edge-9", "agent": "agent-9", "spool": uuid.uuid4().hex}
    return known.get(kind) or str(uuid.uuid4())


def answer(caller: Caller, case: Case, identifier: str) -> tuple[int, bytes, dict[str, str]]:
    """Ask for a resource; give status, body and headers, in which the id and what differs by request are left out."""

    def fill(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if value == "{number}":
            return int(identifier)
        if isinstance(value, str):
            return value.replace("{id}", identifier)
        if isinstance(value, list):
            return [fill(each) for each in value]
        return {name: fill(each) for name, each in value.items()} if isinstance(value, dict) else value

    path = re.sub(r"\{\w+\}", identifier, case.path)
    query = fill(case.query).replace("{hour}", "from=2026-03-01T00:00:00Z&to=2026-03-01T01:00:00Z")
    target = f"{path}?{query}" if query else path
    given = caller.server.request(case.method, target, headers={"X-Auth-Token": caller.secret}, form=fill(case.form))
    body = re.sub(rb'"(?:reported|read)_at":"[^"]*"', b"", given.data.replace(identifier.encode(), b"ID"))
    left = {
        name.lower(): text
        for name, text in given.headers.items()
        if name.lower() not in {"date", "x-openstack-request-id", "content-length"}
    }
    return given.status, body, left


def _rows() -> Iterator[Any]:
    """Give a row for each case, kind and caller; whoever reads may read its own."""
    for case in CASES:
        for kind in case.kinds:
            for who in ("none", "agent") if kind == "own point" else CALLERS:
                yield pytest.param(case, kind, who, id=f"{case.method} {case.path} {case.query} {kind} {who}")


@pytest.mark.parametrize(("case", "kind", "who"), list(_rows()))
def test_what_may_not_be_read_is_as_good_as_not_there(case: Case, kind: str, who: str, callers: Callers, hidden: dict[str, str]) -> None:
    found, missing = (answer(callers[who], case, identifier) for identifier in (hidden[kind], unknown(kind)))
    if kind == "shared label" and (case.method, case.path) in RECORDED and found != missing:
        assert (found[0], found[1]) == (404, HIDDEN)
        assert missing[0] == 404
    else:
        assert found == missing
    owner = callers["admin"].ask("GET", f"/v1/labels/{hidden['label']}")
    assert (owner[0], owner[1]["name"]) == (200, "label")


def _routes() -> Iterator[tuple[str, str, Operation]]:
    for route in Router("/", route_handlers=[*neutron_routes(), *v1_routes(), *operations_routes()]).routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        for handler in getattr(route, "route_handlers", ()):
            if handler.include_in_schema is not False and OPERATION in handler.opt:
                yield from ((str(method), path, handler.opt[OPERATION]) for method in handler.http_methods)


def test_every_route_that_names_a_resource_has_a_case() -> None:
    named = {(method, path) for method, path, operation in _routes() if "{" in path and operation is not Operation.DISCOVER}
    assert named == {(case.method, case.path) for case in CASES if "{" in case.path}
    assert {(case.method, case.path, case.operation) for case in CASES} <= set(_routes())


def test_every_operation_has_a_case_or_names_nothing() -> None:
    cases = {case.operation for case in CASES}
    assert cases | NOTHING_NAMED.keys() == POLICY.keys()
    assert cases & NOTHING_NAMED.keys() == set()


def test_what_is_hidden_costs_as_many_statements_as_what_is_not_there(callers: Callers, hidden: dict[str, str]) -> None:
    reader = Principal(user_id="r", project_id=OWN, roles=IMPLIED_ROLES[Role.READER])
    path = Path(callers["admin"].server.database.removeprefix("sqlite:///"))
    copy = path.with_name("copy.db")  # the server has the database itself open
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    with open_store(f"sqlite:///{copy}") as store:
        counts: list[str] = []
        with store.reading() as opened:
            engine = opened.connection.engine
        event.listen(engine, "before_cursor_execute", lambda *arguments: counts.append(arguments[2]))
        for find, kinds in (
            (LabelControl(store).find, _LABEL_KINDS),
            (RuleControl(store).find, _RULE_KINDS),
            (PointControl(store).find, ("point", "shared point")),
        ):
            spent = []
            for identifier in (*(hidden[kind] for kind in kinds), unknown("label")):
                counts.clear()
                with pytest.raises(NotFoundError):
                    find(reader, identifier)
                spent.append(list(counts))
            assert spent[0]
            assert all(each == spent[0] for each in spent)


def _timed() -> Iterator[Any]:
    """Give a row for each case that reads, and each kind; changes would wait for the disk, whatever they are about."""
    for case in CASES:
        for kind in case.kinds if case.method == "GET" else ():
            yield pytest.param(case, kind, id=f"{case.path} {case.query} {kind}")


@pytest.mark.parametrize(("case", "kind"), list(_timed()))
def test_what_is_hidden_takes_as_long_as_what_is_not_there(case: Case, kind: str, callers: Callers, hidden: dict[str, str]) -> None:
    caller = callers["reader"] if kind != "own point" else callers["none"]
    least = dict.fromkeys((hidden[kind], unknown(kind)), math.inf)
    for _ in range(ROUNDS):
        for identifier in [*least] * TIMES:
            began = time.perf_counter()
            answer(caller, case, identifier)
            least[identifier] = min(least[identifier], time.perf_counter() - began)
        if _is_alike(*least.values()):
            return  # what else runs on the machine only ever adds to a time
    assert _is_alike(*least.values()), least


def _is_alike(of_hidden: float, of_unknown: float) -> bool:
    return abs(of_hidden - of_unknown) <= NOISE * of_unknown
