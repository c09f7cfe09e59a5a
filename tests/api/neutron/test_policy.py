"""The policy, row by row: what the table states is what the server does, for every role and whosoever's the resource is."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from litestar import Router
from litestar.routes import HTTPRoute

from tests.api.neutron.callers import LABELS, RULES, Caller
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import ForbiddenError
from venturi.interfaces.api.neutron.routes import neutron_routes
from venturi.interfaces.api.operations import operations_routes
from venturi.interfaces.api.v1.routes import v1_routes
from venturi.services.control.policy import ADMINS, OPERATION, POLICY, Grant, Operation, Relation, listed_project, permits, require

Callers = dict[str, Caller]
CALLER_PROJECT, OTHER_PROJECT = "own", "root"

PLACES = {
    Relation.OWN: (CALLER_PROJECT, False),
    Relation.OWN_SHARED: (CALLER_PROJECT, True),
    Relation.OTHER: (OTHER_PROJECT, False),
    Relation.OTHER_SHARED: (OTHER_PROJECT, True),
}

ROLES = [pytest.param(role, id=role.value) for role in Role]
RELATIONS = [pytest.param(relation, id=relation.value) for relation in Relation]


def _roles_of(role: Role) -> frozenset[Role]:
    return IMPLIED_ROLES[role] or frozenset({Role.NONE})


def _allowed(operation: Operation, role: Role, relation: Relation) -> bool:
    return bool(POLICY[operation].roles(relation) & _roles_of(role))


@dataclass(frozen=True)
class Resources:
    """A label of each relation to the callers of the project ``own``, and a rule of it."""

    labels: dict[Relation, str]
    rules: dict[Relation, str]


@pytest.fixture
def resources(callers: Callers) -> Iterator[Resources]:
    owner = callers["owner"]
    labels = {
        relation: owner.make_label(name=relation, project_id=project, shared=shared) for relation, (project, shared) in PLACES.items()
    }
    rules = {relation: owner.make_rule(label, source_ip_prefix="10.0.0.0/8") for relation, label in labels.items()}
    yield Resources(labels, rules)
    owner.wipe()


@pytest.mark.parametrize("operation", list(Operation), ids=str)
def test_every_operation_has_a_row(operation: Operation) -> None:
    assert isinstance(POLICY[operation], Grant)


@pytest.mark.parametrize("operation", list(POLICY), ids=str)
@pytest.mark.parametrize("relation", RELATIONS)
def test_an_administrator_may_do_everything(operation: Operation, relation: Relation) -> None:
    assert POLICY[operation].roles(relation) >= ADMINS


@pytest.mark.parametrize("operation", list(POLICY), ids=str)
def test_nobody_may_do_to_others_what_the_role_may_not_do_at_home(operation: Operation) -> None:
    grant = POLICY[operation]
    assert grant.other <= grant.own
    assert grant.other_shared <= grant.own_shared


@pytest.mark.parametrize("operation", list(POLICY), ids=str)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("relation", RELATIONS)
def test_the_table_is_what_is_asked(operation: Operation, role: Role, relation: Relation) -> None:
    project, shared = PLACES[relation]
    caller = Principal(user_id="somebody", project_id=CALLER_PROJECT, roles=IMPLIED_ROLES[role])
    allowed = _allowed(operation, role, relation)
    assert permits(caller, operation, project, shared=shared) is allowed
    if allowed:
        require(caller, operation, project, shared=shared)
    else:
        with pytest.raises(ForbiddenError, match=f"^rule:{operation} is disallowed by policy$"):
            require(caller, operation, project, shared=shared)


@pytest.mark.parametrize(
    ("role", "expected"), [(Role.ADMIN, None), (Role.MANAGER, CALLER_PROJECT), (Role.MEMBER, CALLER_PROJECT), (Role.READER, CALLER_PROJECT)]
)
def test_lists_show_the_own_project_or_all(role: Role, expected: str | None) -> None:
    caller = Principal(user_id="somebody", project_id=CALLER_PROJECT, roles=IMPLIED_ROLES[role])
    assert listed_project(caller, Operation.LIST_LABELS) == expected


def test_nothing_is_routed_that_the_table_does_not_name() -> None:
    router = Router("/", route_handlers=[*neutron_routes(), *v1_routes(), *operations_routes()])
    handlers = [(route.path, handler) for route in router.routes if isinstance(route, HTTPRoute) for handler in route.route_handlers]
    # OPTIONS alone is Litestar's own: it says which methods there are.
    ours = [(path, handler) for path, handler in handlers if set(handler.http_methods) != {"OPTIONS"}]
    assert len(ours) > 40
    assert [path for path, handler in ours if handler.opt.get(OPERATION) not in POLICY] == []


@pytest.mark.parametrize("role", ROLES)
class TestEveryRole:
    """Each operation of the Networking API, by a caller of each role in the project ``own``, on a resource of each relation."""

    def test_lists(self, callers: Callers, resources: Resources, role: Role) -> None:
        for path, collection, operation, made in (
            (LABELS, "metering_labels", Operation.LIST_LABELS, resources.labels),
            (RULES, "metering_label_rules", Operation.LIST_RULES, resources.rules),
        ):
            status, document = callers[role].ask("GET", path)
            expected = {made[relation] for relation in Relation if _allowed(operation, role, relation)}
            assert (status, {each["id"] for each in document[collection]}) == (200, expected)

    @pytest.mark.parametrize("relation", RELATIONS)
    def test_show(self, callers: Callers, resources: Resources, role: Role, relation: Relation) -> None:
        for path, operation in (
            (f"{LABELS}/{resources.labels[relation]}", Operation.SHOW_LABEL),
            (f"{RULES}/{resources.rules[relation]}", Operation.SHOW_RULE),
        ):
            status, _ = callers[role].ask("GET", path)
            assert status == (200 if _allowed(operation, role, relation) else 404)

    @pytest.mark.parametrize("relation", RELATIONS)
    @pytest.mark.usefixtures("resources")
    def test_create_label(self, callers: Callers, role: Role, relation: Relation) -> None:
        project, shared = PLACES[relation]
        status, _ = callers[role].ask("POST", LABELS, {"metering_label": {"project_id": project, "shared": shared}})
        refused = 403 if project == CALLER_PROJECT else 400
        assert status == (201 if _allowed(Operation.CREATE_LABEL, role, relation) else refused)

    @pytest.mark.parametrize("relation", RELATIONS)
    def test_create_rule(self, callers: Callers, resources: Resources, role: Role, relation: Relation) -> None:
        rule = {"metering_label_id": resources.labels[relation], "direction": "egress", "source_ip_prefix": "10.0.0.0/8"}
        status, document = callers[role].ask("POST", RULES, {"metering_label_rule": rule})
        refused = 404 if _allowed(Operation.CREATE_RULE, role, Relation.OWN) else 403
        assert status == (201 if _allowed(Operation.CREATE_RULE, role, relation) else refused), document
        rules = callers["owner"].ask("GET", f"{RULES}?metering_label_id={resources.labels[relation]}")[1]["metering_label_rules"]
        assert len(rules) == (2 if status == 201 else 1)

    @pytest.mark.parametrize("relation", RELATIONS)
    def test_delete(self, callers: Callers, resources: Resources, role: Role, relation: Relation) -> None:
        for path, show, delete in (
            (f"{RULES}/{resources.rules[relation]}", Operation.SHOW_RULE, Operation.DELETE_RULE),
            (f"{LABELS}/{resources.labels[relation]}", Operation.SHOW_LABEL, Operation.DELETE_LABEL),
        ):
            status, _ = callers[role].ask("DELETE", path)
            refused = 403 if _allowed(show, role, relation) else 404
            assert status == (204 if _allowed(delete, role, relation) else refused)
            left, _ = callers["owner"].ask("GET", path)
            assert left == (404 if status == 204 else 200)

    @pytest.mark.parametrize("relation", RELATIONS)
    def test_nobody_changes_anything_with_put(self, callers: Callers, resources: Resources, role: Role, relation: Relation) -> None:
        for path, resource, attributes in (
            (f"{LABELS}/{resources.labels[relation]}", "metering_label", {"name": "other"}),
            (f"{RULES}/{resources.rules[relation]}", "metering_label_rule", {"direction": "egress"}),
        ):
            before = callers["owner"].ask("GET", path)
            status, document = callers[role].ask("PUT", path, {resource: attributes})
            assert (status, document["NeutronError"]["message"]) == (400, f"Cannot update read-only attribute {next(iter(attributes))}")
            assert callers["owner"].ask("GET", path) == before


@pytest.mark.parametrize("path", [LABELS, RULES, "/v2.0", "/v2.0/", "/v2.0/extensions", "/v2.0/nonsense", f"{LABELS}/x"])
@pytest.mark.parametrize("token", ["", "wrong", "venturi_0_0", "\t", "x" * 4096])
def test_without_a_valid_token_nothing_is_said(callers: Callers, path: str, token: str) -> None:
    status, document = Caller(callers["owner"].server, "").ask("GET", path, **({"X-Auth-Token": token} if token else {}))
    assert (status, document["error"]["title"]) == (401, "Unauthorized")


def test_versions_need_no_token(callers: Callers) -> None:
    status, document = Caller(callers["owner"].server, "").ask("GET", "/")
    assert (status, document["versions"][0]["id"]) == (200, "v2.0")
