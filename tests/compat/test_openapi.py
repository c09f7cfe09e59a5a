"""The API only grows: operations, parameters, their values and fields that were promised stay, and no operation comes to need more."""

import copy
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from tests.compat.openapi import find_broken, list_needs, list_promises, present_document, read_kept
from tests.support.versions import LIST, read_removals, read_versions

USAGE = "GET /v1/usage"
POINT = "POST /v1/observation-points"


def test_what_was_promised_is_kept() -> None:
    assert find_broken(present_document(), read_kept(), read_removals()) == []


def test_what_is_removed_was_announced_by_an_earlier_version() -> None:
    versions = {version.commit for version in read_versions() if version.commit}
    removals = tomllib.loads(LIST.read_text(encoding="utf-8")).get("removals", [])
    assert [each for each in removals if each["announced"] not in versions] == []


def _forget_operation(document: Any) -> None:  # noqa: ANN401 - any JSON
    del document["paths"]["/v1/usage"]["get"]


def _forget_parameter(document: Any) -> None:  # noqa: ANN401 - any JSON
    parameters = document["paths"]["/v1/usage"]["get"]["parameters"]
    parameters[:] = [each for each in parameters if each["name"] != "group_by"]


def _forget_value(document: Any) -> None:  # noqa: ANN401 - any JSON
    (parameter,) = [each for each in document["paths"]["/v1/usage"]["get"]["parameters"] if each["name"] == "format"]
    parameter["schema"] = {"enum": ["json"]}


def _forget_field(document: Any) -> None:  # noqa: ANN401 - any JSON
    for schema in document["components"]["schemas"].values():
        schema.get("properties", {}).pop("known_seconds", None)


def _need_field(document: Any) -> None:  # noqa: ANN401 - any JSON
    content = document["paths"]["/v1/observation-points"]["post"]["requestBody"]["content"]["application/json"]
    content["schema"] = {"allOf": [content["schema"], {"type": "object", "properties": {"colour": {}}, "required": ["colour"]}]}


def _need_parameter(document: Any) -> None:  # noqa: ANN401 - any JSON
    document["paths"]["/v1/usage"]["get"]["parameters"].append({"name": "colour", "in": "query", "required": True, "schema": {}})


BROKEN: dict[str, tuple[Callable[[Any], None], str]] = {
    "an operation": (_forget_operation, USAGE),
    "a parameter": (_forget_parameter, f"{USAGE} parameter group_by"),
    "a value of a parameter": (_forget_value, f"{USAGE} parameter format value csv"),
    "a field of an answer": (_forget_field, f"{USAGE} answer .intervals[].known_seconds"),
    "a field that is needed": (_need_field, f"{POINT} needs request .colour"),
    "a parameter that is needed": (_need_parameter, f"{USAGE} needs parameter colour"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_promise_is_seen(case: str) -> None:
    breaking, sentence = BROKEN[case]
    document = copy.deepcopy(present_document())
    kept = list_promises(document) | list_needs(document)
    assert find_broken(document, kept, ()) == []
    breaking(document)
    broken = find_broken(document, kept, ())
    assert sentence in broken
    assert sentence not in find_broken(document, kept, [sentence]) or " needs " in sentence


def test_what_is_new_breaks_nothing() -> None:
    document = copy.deepcopy(present_document())
    kept = list_promises(document) | list_needs(document)
    document["paths"]["/v1/colours"] = {"get": {"parameters": [], "responses": {"200": {}}}}
    document["paths"]["/v1/usage"]["get"]["parameters"].append({"name": "colour", "in": "query", "schema": {"enum": ["red"]}})
    assert find_broken(document, kept, ()) == []
