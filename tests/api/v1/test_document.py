"""The OpenAPI document describes what is served, all of it and nothing else; its pages ask no other host."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from litestar import Router

from tests.api.v1.conftest import Caller
from tests.support.document import DescribedOperation, described_operations, make_document, served_routes
from tests.support.tools import find_tool, needs
from venturi.interfaces.api.authentication import is_open
from venturi.interfaces.api.openapi.pages import SCRIPTS

UNDOCUMENTED_METHODS = {"HEAD", "OPTIONS"}
DOCUMENT = make_document()
OPERATIONS = described_operations(DOCUMENT)


def _served() -> set[tuple[str, str]]:
    """List method and path of every route, other spellings that OpenStack's clients may use left out."""
    served = set()
    for route in Router("/", route_handlers=served_routes()).routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        for handler in getattr(route, "route_handlers", ()):
            if handler.include_in_schema is not False:
                served |= {(str(method), path) for method in handler.http_methods if method not in UNDOCUMENTED_METHODS}
    return served


def test_every_route_is_described_and_nothing_else() -> None:
    assert {(operation.method, operation.path) for operation in OPERATIONS} == _served()


def test_what_is_served_loads_neither_arrays_nor_their_compiler() -> None:
    program = "import sys, venturi.interfaces.api.v1.routes; print(sorted({'numpy', 'numba', 'pyarrow'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_operations_have_names_of_their_own() -> None:
    identifiers = [operation.identifier for operation in OPERATIONS]
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.identifier)
def test_an_operation_is_told_in_full(operation: DescribedOperation) -> None:
    described = operation.described
    assert described["summary"]
    assert described["description"].endswith(".")
    assert {parameter["name"] for parameter in described["parameters"] if parameter["in"] == "path"} == set(
        re.findall(r"\{(\w+)\}", operation.path)
    )


def _examples(operation: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """List schema and example of whatever an operation is sent and answers in JSON, and of the parameters of its path."""
    bodies = [*([operation["requestBody"]] if "requestBody" in operation else []), *operation["responses"].values()]
    contents = [body["content"]["application/json"] for body in bodies if "application/json" in body.get("content", {})]
    places = [parameter for parameter in operation["parameters"] if parameter["in"] == "path"]
    return [(each["schema"], each["example"]) for each in (*contents, *places)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.identifier)
def test_an_operation_has_examples_that_are_right(operation: DescribedOperation) -> None:
    examples = _examples(operation.described)
    assert examples
    for schema, example in examples:
        validator = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}, validate_formats=True)
        assert [str(error) for error in validator.iter_errors(example)] == []


def test_a_token_is_required_where_it_is() -> None:
    assert {} not in DOCUMENT["security"]
    for path, methods in DOCUMENT["paths"].items():
        for described in methods.values():
            assert described.get("security", DOCUMENT["security"]) == ([] if is_open(path) else DOCUMENT["security"]), path


def test_options_name_all_methods_of_a_path(anyone: Caller) -> None:
    served: dict[str, set[str]] = {}
    for route in Router("/", route_handlers=served_routes()).routes:
        path = re.sub(r"\{\w+:\w+\}", "x", route.path)
        served.setdefault(path, {"OPTIONS"}).update(getattr(route, "methods", ()))
    assert len(served) > 40
    del served["/"]  # answers by the versions, as OpenStack's services do
    told = {path: anyone.server.request("OPTIONS", path).headers.get("Allow") for path in served}
    assert told == {path: ", ".join(sorted(methods)) for path, methods in served.items()}


def test_the_document_is_served_to_everybody(callers: dict[str, Caller]) -> None:
    status, document = Caller(callers["admin"].server).ask("GET", "/openapi.json")
    assert status == 200
    assert document == DOCUMENT
    assert document["openapi"] == "3.1.0"


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", *(f"/docs/{name}" for name in SCRIPTS)])
def test_the_pages_come_from_here(callers: dict[str, Caller], path: str) -> None:
    answer = callers["admin"].server.request("GET", path)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if path in {"/docs", "/docs/start.js"}:
        assert re.findall(rb"https?:|//", answer.data) == []


def test_pages_that_are_not_there(anyone: Caller) -> None:
    status, document = anyone.ask("GET", "/docs/..%2f__init__.py")
    assert (status, document["error"]["type"]) == (404, "NotFound")


@needs("chromium")
def test_a_browser_shows_every_operation_and_asks_no_other_host(anyone: Caller, tmp_path: Path) -> None:
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
        "--virtual-time-budget=30000",
    ]
    # Names of other hosts resolve to nothing, so whatever the page asked elsewhere would fail and be logged.
    closed = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={tmp_path}", "--disable-background-networking"]
    run = subprocess.run(
        [find_tool("chromium") or "", *options, *closed, "--dump-dom", f"{anyone.server.url}/docs"],
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    shown = re.findall(r'opblock-summary-path"[^>]*data-path="([^"]*)"', run.stdout)
    assert sorted(shown) == sorted(operation.path for operation in OPERATIONS)
    assert [line for line in run.stderr.splitlines() if "CONSOLE" in line or "Content Security Policy" in line] == []
