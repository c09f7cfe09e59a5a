"""An id, a host or a name with a line end after it is another text, and is refused wherever it comes in."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.v1.conftest import Caller
from tests.support.batches import SpoolOfTests, make_interval, send_form
from venturi.core.ledger.batch import BatchLabel, BatchPoint

SPOOL = "a" * 32
POINT = {"kind": "interface", "name": "a", "host": "edge-9", "device": "eth0", "namespace": "blue"}
AGENT = {"role": "agent", "agent_id": "agent-9", "host": "edge-9", "project_id": "own"}

ASKED: list[tuple[str, str, object]] = [
    *(("POST", "/v1/observation-points", POINT | {name: POINT[name] + "\n"}) for name in POINT),
    *(("POST", "/v1/tokens", AGENT | {name: AGENT[name] + "\n"}) for name in AGENT),
    ("POST", "/v1/observation-points", {"kind": "router", "name": "r", "router_id": f"{uuid4()}\n"}),
    ("POST", "/v2.0/metering/metering-labels", {"metering_label": {"name": "web\n", "project_id": "own"}}),
    ("POST", "/v2.0/metering/metering-labels", {"metering_label": {"name": "web", "project_id": "own\n"}}),
    ("GET", f"/v1/spools/{SPOOL}%0A", None),
    ("GET", "/v1/postings/1%0A", None),
    ("GET", "/v1/revisions/1%0A", None),
    ("GET", "/v1/plans/edge-9%0A?agent_id=agent-9", None),
    ("GET", "/v1/plans/edge-9?agent_id=agent-9%0A", None),
    ("GET", "/v1/usage?label=web%0A", None),
]

SPOOLS: list[dict[str, Any]] = [
    {"agent_id": "agent-1\n"},
    {"host": "edge-1\n"},
    {"spool_id": f"{SPOOL}\n"},
    {"points": [BatchPoint(f"{uuid4().hex}\n", "uplink", "own", False, "interface")]},
    {"labels": [BatchLabel(f"{uuid4().hex}\n", "web", "own", False)]},
]
INTERVALS = [{"generation": "a" * 32 + "\n"}, {"classifier": "b" * 64 + "\n"}]


@pytest.mark.parametrize(("method", "path", "body"), ASKED)
def test_a_trailing_newline_is_refused(callers: dict[str, Caller], method: str, path: str, body: object) -> None:
    status, document = callers["admin"].ask(method, path, body)
    assert status in {400, 404}, document


def post(caller: Caller, spool: SpoolOfTests, **interval: Any) -> tuple[int, Any]:  # noqa: ANN401 - fields of an interval
    headers = {"X-Auth-Token": caller.secret, "Content-Type": "application/vnd.venturi.batch"}
    body = send_form(spool.seal(make_interval(0, usage=[(0, 0, 1, 100)], **interval)))
    answer = caller.server.request("POST", "/v1/batches", headers=headers, body=body)
    return answer.status, answer.json()


@pytest.mark.parametrize("changed", SPOOLS, ids=lambda each: next(iter(each)))
def test_a_batch_with_a_trailing_newline_in_an_id_is_refused(callers: dict[str, Caller], changed: dict[str, Any]) -> None:
    status, document = post(callers["admin"], SpoolOfTests(**changed))
    assert status == 400, document


@pytest.mark.parametrize("changed", INTERVALS, ids=lambda each: next(iter(each)))
def test_an_interval_with_a_trailing_newline_in_an_id_is_refused(callers: dict[str, Caller], changed: dict[str, Any]) -> None:
    status, document = post(callers["admin"], SpoolOfTests(), **changed)
    assert status == 400, document
