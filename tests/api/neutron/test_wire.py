"""Requests and answers of the Networking API, as tables in ``cases``.

A table has ``labels`` and ``rules`` that are made before each of its cases, under names. A case sends a line such as
``GET labels/NAME?QUERY`` (or a whole path), with ``body`` as JSON or ``raw``, and expects a ``status`` (200), an ``answer`` and, for
what is ``refused``, status, type and message. ``$NAME`` stands for an id, ``$1`` for the first new one, ``$base`` for the server's URL.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.neutron.callers import LABELS, RULES, Caller

_TABLES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))}
_CASES = [pytest.param(table, case, id=f"{name}: {case['name']}") for name, table in _TABLES.items() for case in table["cases"]]
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _fill(given: Any, known: dict[str, str]) -> Any:  # noqa: ANN401 - a JSON document
    """Put ids in the places of their names."""
    text = json.dumps(given)
    for name in sorted(known, key=len, reverse=True):
        text = text.replace(f"${name}", known[name])
    return json.loads(text)


def _path(target: str, known: dict[str, str]) -> str:
    """Give the path of a target such as ``labels/a.json?fields=id``."""
    if target.startswith("/"):
        prefix, _, last = target.partition("/metering_labels/")
        return f"{prefix}/metering_labels/{_fill(_name_id(last, known), known)}" if last else target
    collection, separator, rest = re.fullmatch(r"(labels|rules)([/?.]?)(.*)", target).groups()  # type: ignore[union-attr]
    named = _name_id(rest, known) if separator == "/" else rest
    return str(_fill((LABELS if collection == "labels" else RULES) + separator + named, known))


def _name_id(rest: str, known: dict[str, str]) -> str:
    found = re.match(r"[a-z]+(?=[./?]|$)", rest)
    return known[found[0]] + rest[found.end() :] if found and found[0] in known else rest


def _make(caller: Caller, table: dict[str, Any]) -> dict[str, str]:
    known = {"base": caller.server.url, "secure": caller.server.url.replace("http:", "https:")}
    for name, label in table.get("labels", {}).items():
        known[name] = caller.make_label(**label)
    for name, rule in table.get("rules", {}).items():
        attributes = _fill(rule, known)
        known[name] = caller.make_rule(attributes.pop("metering_label_id"), **attributes)
    return known


def _number_new(document: Any, known: dict[str, str]) -> Any:  # noqa: ANN401 - a JSON document
    """Put $1, $2 … in the places of ids that were not known before."""
    text = json.dumps(document)
    new = dict.fromkeys(found for found in _UUID.findall(text) if found not in known.values())
    for number, identifier in enumerate(new, start=1):
        text = text.replace(identifier, f"${number}")
    return json.loads(text)


@pytest.mark.parametrize(("table", "case"), _CASES)
def test_case(anyone: Caller, table: dict[str, Any], case: dict[str, Any]) -> None:
    known = _make(anyone, table)
    method, target = case["send"].split(" ", 1)
    raw = case["raw"].encode() if "raw" in case else json.dumps(_fill(case["body"], known)).encode() if "body" in case else None
    status, body, headers = anyone.send(method, _path(target, known), raw, **case.get("headers", {}))
    document = json.loads(body) if body else None
    if "refused" in case:
        expected, kind, message = case["refused"]
        refusal = {"NeutronError": {"type": kind, "message": _fill(message, known), "detail": ""}}
        assert (status, document) == (expected, refusal)
    else:
        assert status == case.get("status", 200), document
        if "answer" in case:
            assert _number_new(document, known) == _fill(case["answer"], known)
    assert headers["X-Openstack-Request-Id"].startswith("req-")
    assert not body or headers["Content-Type"] == "application/json"
