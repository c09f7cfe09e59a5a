"""openstacksdk and neutronclient at a real server: calls, filters, paging and the exceptions that refusals become."""

import math

import pytest

from tests.support.openstack import CallFailedError, ClientCalls
from tests.support.server import ServerProcess
from tests.support.tools import needs

pytestmark = needs("openstack")

LABELS = "/v2.0/metering/metering-labels"
MANY = 1_000
PAGE = 150


def test_a_label_by_the_sdk(sdk: ClientCalls) -> None:
    label = sdk("create_metering_label", name="sdk-1", description="Uplink", is_shared=True, project_id="sdk-project")
    assert label == label | {"name": "sdk-1", "description": "Uplink", "shared": True, "project_id": "sdk-project"}
    assert sdk("find_metering_label", "sdk-1") == sdk("get_metering_label", label["id"]) == label
    assert sdk("find_metering_label", "sdk-nobody") is None


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": "sdk-f1"}, ["sdk-f1"]),
        ({"project_id": "sdk-filters"}, ["sdk-f1", "sdk-f2"]),
        ({"project_id": "sdk-filters", "is_shared": True}, ["sdk-f2"]),
        ({"project_id": "sdk-filters", "description": "second"}, ["sdk-f2"]),
        ({"project_id": "sdk-filters", "name": "SDK-F1"}, []),
        ({"project_id": "sdk-filters", "sort_key": "name", "sort_dir": "desc"}, ["sdk-f2", "sdk-f1"]),
    ],
    ids=["name", "project", "shared", "description", "case", "order"],
)
def test_labels_filtered_by_the_sdk(sdk: ClientCalls, filters: dict[str, object], names: list[str]) -> None:
    if sdk("find_metering_label", "sdk-f1") is None:
        sdk("create_metering_label", name="sdk-f1", project_id="sdk-filters")
        sdk("create_metering_label", name="sdk-f2", project_id="sdk-filters", description="second", is_shared=True)
    found = [label["name"] for label in sdk("metering_labels", **filters)]
    assert (found if "sort_key" in filters else sorted(found)) == names


def test_rules_by_the_sdk(sdk: ClientCalls) -> None:
    label = sdk("create_metering_label", name="sdk-rules")["id"]
    given = {"metering_label_id": label, "source_ip_prefix": "10.0.0.0/8"}
    excluding = sdk("create_metering_label_rule", **given, direction="egress", is_excluded=True)
    including = sdk("create_metering_label_rule", **given, direction="ingress")
    assert excluding == excluding | {"excluded": True, "direction": "egress", "source_ip_prefix": "10.0.0.0/8", "metering_label_id": label}

    def ids(**filters: object) -> list[str]:
        return sorted(rule["id"] for rule in sdk("metering_label_rules", metering_label_id=label, **filters))

    assert ids() == sorted([excluding["id"], including["id"]])
    assert ids(direction="ingress") == [including["id"]]
    assert ids(is_excluded=True) == [excluding["id"]]
    assert ids(source_ip_prefix="192.0.2.0/24") == []
    sdk("delete_metering_label", label)
    assert ids() == []


@pytest.mark.parametrize(
    ("call", "arguments", "kind", "told"),
    [
        ("get_metering_label", ["sdk-nobody"], "NotFoundException", "sdk-nobody"),
        ("get_metering_label_rule", ["sdk-nobody"], "NotFoundException", "sdk-nobody"),
        ("update_metering_label", ["{label}"], "BadRequestException", "Cannot update read-only attribute name"),
    ],
)
def test_refusals_by_the_sdk(sdk: ClientCalls, call: str, arguments: list[str], kind: str, told: str) -> None:
    label = sdk("create_metering_label", name="sdk-refused")["id"]
    named = {"name": "sdk-renamed"} if call.startswith("update") else {}
    with pytest.raises(CallFailedError, match=told) as refused:
        sdk(call, *(argument.format(label=label) for argument in arguments), **named)
    assert refused.value.kind == kind


def test_overlap_is_a_conflict_for_the_sdk(sdk: ClientCalls) -> None:
    label = sdk("create_metering_label", name="sdk-overlap")["id"]
    given = {"metering_label_id": label, "direction": "ingress", "remote_ip_prefix": "10.0.0.0/24"}
    sdk("create_metering_label_rule", **given)
    with pytest.raises(CallFailedError, match="overlaps another") as refused:
        sdk("create_metering_label_rule", **given)
    assert refused.value.kind == "ConflictException"


def test_a_missing_label_is_deleted_without_a_word(sdk: ClientCalls) -> None:
    assert sdk("delete_metering_label", "sdk-nobody") is None
    with pytest.raises(CallFailedError, match="sdk-nobody"):
        sdk("delete_metering_label", "sdk-nobody", ignore_missing=False)


def test_the_sdk_pages_through_many_labels(sdk: ClientCalls, open_server: ServerProcess) -> None:
    forms = [{"name": f"sdk-many-{number}", "project_id": "sdk-many"} for number in range(MANY)]
    assert open_server.request("POST", LABELS, form={"metering_labels": forms}).status == 201
    before = _lists_in_log(open_server, "before")
    paged = sdk("metering_labels", project_id="sdk-many", limit=PAGE)
    # Without a next link the SDK makes one itself, and stops at an empty page.
    assert _lists_in_log(open_server, "after") - before == math.ceil(MANY / PAGE) + 1
    assert sorted(label["name"] for label in paged) == sorted(form["name"] for form in forms)
    assert len({label["id"] for label in paged}) == MANY
    backwards = sdk("metering_labels", project_id="sdk-many", limit=PAGE, sort_key="name", sort_dir="desc")
    assert [label["name"] for label in backwards] == sorted((form["name"] for form in forms), reverse=True)


def _lists_in_log(server: ServerProcess, mark: str) -> int:
    """Count the lists that the server has answered; ``mark`` is asked for last, so that its line comes after all of theirs."""
    server.request("GET", f"{LABELS}/{mark}")
    server.wait_for_log("request", path=f"{LABELS}/{mark}")
    return sum((line.get("method"), line.get("path"), line.get("status")) == ("GET", LABELS, 200) for line in server.log)


def test_neutronclient(neutronclient: ClientCalls) -> None:
    label = neutronclient("create_metering_label", {"metering_label": {"name": "nc-1", "description": "Uplink"}})["metering_label"]
    form = {"metering_label_id": label["id"], "direction": "egress", "destination_ip_prefix": "10.0.0.0/8"}
    rule = neutronclient("create_metering_label_rule", {"metering_label_rule": form})["metering_label_rule"]
    assert rule == rule | form
    assert neutronclient("list_metering_labels", name="nc-1") == {"metering_labels": [label]}
    assert neutronclient("show_metering_label", label["id"]) == {"metering_label": label}
    assert neutronclient("list_metering_label_rules", metering_label_id=label["id"]) == {"metering_label_rules": [rule]}
    assert neutronclient("show_metering_label_rule", rule["id"]) == {"metering_label_rule": rule}
    neutronclient("delete_metering_label_rule", rule["id"])
    neutronclient("delete_metering_label", label["id"])
    with pytest.raises(CallFailedError, match=label["id"]) as refused:
        neutronclient("show_metering_label", label["id"])
    assert refused.value.kind == "NotFound"


def test_neutronclient_pages(neutronclient: ClientCalls) -> None:
    for number in range(5):
        neutronclient("create_metering_label", {"metering_label": {"name": f"nc-{number}", "tenant_id": "nc-pages"}})
    found = neutronclient("list_metering_labels", tenant_id="nc-pages", limit=2)["metering_labels"]
    assert sorted(label["name"] for label in found) == [f"nc-{number}" for number in range(5)]


def test_extensions_by_neutronclient(neutronclient: ClientCalls) -> None:
    assert "metering" in [extension["alias"] for extension in neutronclient("list_extensions")["extensions"]]
    assert neutronclient("show_extension", "metering")["extension"]["name"] == "Neutron Metering"
