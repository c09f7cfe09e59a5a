"""Lists in every combination of filter, order and page, beside the same worked out in Python."""

from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.neutron.callers import LABELS, RULES, Caller
from tests.support.server import running_server

NAMES = ["a", "A", "b", "é", "z z"]
PROJECTS = ["p", "q"]

FILTERS = [
    "",
    "name=a",
    "name=a&name=b",
    "shared=true",
    "shared=0&name=A&name=é",
    "project_id=p&shared=yes",
    "tenant_id=q&description=odd",
    "description=",
    "name=none",
]
ORDERS = [(), ("name+",), ("name-",), ("shared-", "name+"), ("project_id+", "description-", "name+"), ("id-",), ("tenant_id-", "id+")]
LIMITS = [1, 2, 7, 100]

RULE_FILTERS = ["", "direction=egress", "excluded=true&direction=ingress", "source_ip_prefix=10.0.0.0/8&source_ip_prefix=10.1.0.0/16"]
RULE_ORDERS = [(), ("source_ip_prefix+",), ("destination_ip_prefix-", "excluded+"), ("direction-", "remote_ip_prefix+", "id-")]

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A caller of a server with twenty labels and eighteen rules."""
    with running_server(tmp_path_factory.mktemp("listed")) as server:
        caller = Caller(server, "default")
        for number, (name, project, shared) in enumerate(product(NAMES, PROJECTS, [True, False])):
            caller.make_label(name=name, project_id=project, shared=shared, description="odd" if number % 2 else "")
        label = caller.ask("GET", LABELS)[1]["metering_labels"][0]["id"]
        for direction, excluded, number in product(["ingress", "egress"], [True, False], range(3)):
            caller.make_rule(label, direction=direction, excluded=excluded, source_ip_prefix=f"10.{number}.0.0/{16 if number else 8}")
        for number in range(6):
            prefix = "remote_ip_prefix" if number % 2 else "destination_ip_prefix"
            caller.make_rule(label, direction="egress", **{prefix: f"2001:db8:{number}::/48"})
        yield caller


def _query(filters: str, order: tuple[str, ...]) -> str:
    keys = [f"sort_key={key[:-1]}&sort_dir={'asc' if key.endswith('+') else 'desc'}" for key in order]
    return "&".join([*([filters] if filters else []), *keys])


def _expected(everything: list[Resource], filters: str, order: tuple[str, ...]) -> list[Resource]:
    """Filter and sort as the query asks; what is equal goes by id, and no prefix goes before every other."""
    wanted: dict[str, set[object]] = {}
    for name, _, value in (part.partition("=") for part in filters.split("&") if part):
        truth = {"true": True, "yes": True, "0": False}
        wanted.setdefault(name, set()).add(truth[value] if name in {"shared", "excluded"} else value)
    found = [each for each in everything if all(each[name] in values for name, values in wanted.items())]
    for key in reversed((*order, "id+")):
        found.sort(
            key=lambda each: each[key[:-1]] or "" if key[:-1] not in {"shared", "excluded"} else each[key[:-1]], reverse=key[-1] == "-"
        )
    return found


def _walk(caller: Caller, path: str, collection: str, direction: str) -> list[list[str]]:
    """Follow links one way from a page until an empty one, and give the ids of each."""
    pages: list[list[str]] = []
    while True:
        status, document = caller.ask("GET", path)
        assert status == 200, document
        pages.append([each["id"] for each in document[collection]])
        link = next((each["href"] for each in document[f"{collection}_links"] if each["rel"] == direction), None)
        if link is None or not pages[-1]:
            return pages
        parts = urlsplit(link)
        path = f"{parts.path}?{parts.query}"


def _check(caller: Caller, path: str, collection: str, filters: str, order: tuple[str, ...]) -> None:
    everything = caller.ask("GET", path)[1][collection]
    query = _query(filters, order)
    expected = [each["id"] for each in _expected(everything, filters, order)]
    status, document = caller.ask("GET", f"{path}?{query}")
    assert (status, [each["id"] for each in document[collection]]) == (200, expected)
    for limit in LIMITS:
        forward = _walk(caller, f"{path}?{query}&limit={limit}", collection, "next")
        backward = _walk(caller, f"{path}?{query}&limit={limit}&page_reverse=True", collection, "previous")
        assert [identifier for page in forward for identifier in page] == expected
        assert [identifier for page in reversed(backward) for identifier in page] == expected
        assert all(len(page) == limit for page in forward[:-1])
        assert all(len(page) == limit for page in backward[:-1])


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: filters or "all")
@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_labels(listed: Caller, filters: str, order: tuple[str, ...]) -> None:
    _check(listed, LABELS, "metering_labels", filters, order)


@pytest.mark.parametrize("filters", RULE_FILTERS, ids=lambda filters: filters or "all")
@pytest.mark.parametrize("order", RULE_ORDERS, ids=" ".join)
def test_rules(listed: Caller, filters: str, order: tuple[str, ...]) -> None:
    _check(listed, RULES, "metering_label_rules", filters, order)
