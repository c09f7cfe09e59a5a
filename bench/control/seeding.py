"""Labels that are there before anything is measured: by the API where that is quick, by SQL where it is not.

Neutron takes longer for every label that it has, many minutes for a thousand, so its table is filled directly.
"""

import json
import sqlite3
import uuid
from contextlib import closing
from typing import Any

import urllib3

from bench.control.servers import NEUTRON_NAME, Server
from bench.measure.processes import ProgramFailedError

LABELS = "/v2.0/metering/metering-labels"
RULES = "/v2.0/metering/metering-label-rules"

BULK = 10_000
"""The labels or rules of one request."""

_INSERT = "INSERT INTO meteringlabels (id, name, description, shared, project_id) VALUES (?, ?, '', 0, 'fake_project_id')"


def seed_labels(server: Server, count: int) -> list[str]:
    """See to it that an empty server has ``count`` labels; give their ids."""
    names = [f"seeded-{number}" for number in range(count)]
    if server.name == NEUTRON_NAME:
        rows = [(str(uuid.uuid4()), name) for name in names]
        with closing(sqlite3.connect(server.database)) as database:
            database.executemany(_INSERT, rows)
            database.commit()
        return [identity for identity, _ in rows]
    return [identity for start in range(0, count, BULK) for identity in _post_labels(server, names[start : start + BULK])]


def ask(server: Server, method: str, path: str, form: object = None) -> Any:  # noqa: ANN401 - whatever JSON says
    """Send one request, not measured, and give the answer's body; raise ``ProgramFailedError`` if it was refused."""
    body = None if form is None else json.dumps(form).encode()
    headers = {"Content-Type": "application/json"}
    answer = urllib3.request(method, f"http://127.0.0.1:{server.port}{path}", body=body, headers=headers, timeout=600, retries=False)
    if answer.status >= 300:
        message = f"{server.name} answers {answer.status} to {method} {path}: {answer.data[:500]!r}"
        raise ProgramFailedError(message)
    return json.loads(answer.data)


def _post_labels(server: Server, names: list[str]) -> list[str]:
    answer = ask(server, "POST", LABELS, {"metering_labels": [{"name": name} for name in names]})
    return [label["id"] for label in answer["metering_labels"]]
