"""Bodies that no client sends by accident: each is answered with a 4xx, and nothing comes to be."""

import json

import pytest

from tests.api.neutron.callers import LABELS, RULES, Caller

NESTED = [pytest.param(depth, id=f"{depth} deep") for depth in (50, 400, 900, 990, 1_000, 100_000)]


def _refused(caller: Caller, path: str, body: bytes) -> dict[str, str]:
    status, answer, _ = caller.send("POST", path, body)
    assert status == 400, answer[:200]
    assert caller.ask("GET", path)[1] == {path.rpartition("/")[2].replace("-", "_"): []}
    return dict(json.loads(answer)["NeutronError"])


@pytest.mark.parametrize("depth", NESTED)
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_nested_values(anyone: Caller, depth: int, brackets: str) -> None:
    opening = brackets[0] if brackets == "[]" else '{"a":'
    value = opening * depth + ("1" if brackets == "{}" else "") + brackets[1] * depth
    refusal = _refused(anyone, LABELS, b'{"metering_label": {"name": %s}}' % value.encode())
    assert refusal["type"] in {"HTTPBadRequest", "MalformedRequestBody"}
    assert len(refusal["message"]) < 4096


@pytest.mark.parametrize("digits", [19, 20, 300, 4_300, 4_301, 100_000])
@pytest.mark.parametrize("attribute", ["name", "shared", "project_id"])
def test_long_numbers(anyone: Caller, digits: int, attribute: str) -> None:
    _refused(anyone, LABELS, b'{"metering_label": {"%s": %s}}' % (attribute.encode(), b"9" * digits))


@pytest.mark.parametrize("attribute", ["name", "description", "project_id", "shared", "x" * 1_000_000])
def test_long_texts(anyone: Caller, attribute: str) -> None:
    refusal = _refused(anyone, LABELS, json.dumps({"metering_label": {attribute: "y" * 1_000_000}}).encode())
    assert len(refusal["message"]) < 8192


@pytest.mark.parametrize("attribute", ["direction", "excluded", "metering_label_id", "remote_ip_prefix", "source_ip_prefix"])
@pytest.mark.parametrize("value", ["z" * 1_000_000, "\x00", [[]], {"": None}, -1, 1.5, True], ids=lambda value: repr(value)[:12])
def test_rules_of_nothing_that_fits(anyone: Caller, attribute: str, value: object) -> None:
    rule = {"metering_label_id": "00000000-0000-4000-8000-000000000000", "direction": "ingress", "source_ip_prefix": "10.0.0.0/8"}
    status, document = anyone.ask("POST", RULES, {"metering_label_rule": {**rule, attribute: value}})
    missing_label = attribute == "excluded" and value is True
    assert status == (404 if missing_label else 400), document
    assert len(document["NeutronError"]["message"]) < 8192


def test_too_many_resources(anyone: Caller) -> None:
    status, document = anyone.ask("POST", LABELS, {"metering_labels": [{}] * 100_001})
    assert (status, document["NeutronError"]["type"]) == (413, "HTTPRequestEntityTooLarge")
    assert document["NeutronError"]["message"] == "100001 resources in one request; it may carry 100000 at most"


@pytest.mark.parametrize("filling", ["{},", "0,"], ids=["objects", "numbers"])
def test_a_body_of_too_many_values_is_not_even_read(anyone: Caller, filling: str) -> None:
    status, answer, _ = anyone.send("POST", LABELS, f'{{"metering_labels": [{filling * 1_900_000}{{}}]}}'.encode())
    refused = json.loads(answer)["NeutronError"]
    assert (status, refused["type"]) == (413, "HTTPRequestEntityTooLarge")
    assert "too many JSON values" in refused["message"]
