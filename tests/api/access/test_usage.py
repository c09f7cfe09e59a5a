"""However usage is asked for, a reader sees own labels at own and shared points and shared labels at own points, and nothing else."""

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import chain, combinations, product
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.api.v1.conftest import OTHER, OWN, Caller
from tests.support.batches import SpoolOfTests, make_batch_label, make_batch_point, make_interval, send_form
from tests.support.server import BY_PLAN_FILES, make_token, running_server
from venturi.services.reports.request import Grouping

LABELS = [
    make_batch_label(f"label {project} {shared}", project_id=project, shared=shared) for project in (OWN, OTHER) for shared in (False, True)
]
POINTS = [
    make_batch_point(f"point {project} {shared}", project_id=project, shared=shared) for project in (OWN, OTHER) for shared in (False, True)
]
OWN_LABELS, SHARED_LABEL_OF_OTHERS = (0, 1), 3
OPEN_POINTS, OWN_POINTS = (0, 1, 3), (0, 1)
SEEN = {*product(OWN_LABELS, OPEN_POINTS), *product((SHARED_LABEL_OF_OTHERS,), OWN_POINTS)}
SECRETS = [LABELS[2].id, LABELS[2].name, POINTS[2].id, POINTS[2].name]
HOUR = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}


def octets_of(label: int, point: int) -> int:
    """Give the octets of a label at a point, a bit of its own, so that a sum tells what is in it."""
    return 1 << (4 * point + label)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Whoever reads the usage of one project, on a server on which labels of two counted at points of both."""
    folder = Path(tmp_path_factory.mktemp("access"))
    database = f"sqlite:///{folder / 'venturi.db'}"
    admin, secret = make_token(database), make_token(database, "reader", OWN)
    usage = [[(label, 0, 1, octets_of(label, point)) for label in range(len(LABELS))] for point in range(len(POINTS))]
    intervals = [make_interval(0, usage=rows, point=point, place=f"eth{point}") for point, rows in enumerate(usage)]
    envelope = SpoolOfTests(labels=LABELS, points=POINTS).seal(*intervals)
    with running_server(folder, "--auth", "token", database=database, config=BY_PLAN_FILES) as server:
        assert server.request("POST", "/v1/batches", headers={"X-Auth-Token": admin}, body=send_form(envelope)).status == 200
        yield Caller(server, secret)


def report(reader: Caller, form: str, **query: str) -> str:
    asked = urlencode({**HOUR, "resolution": "total", "format": form, **query})
    answer = reader.server.request("GET", f"/v1/usage?{asked}", headers={"X-Auth-Token": reader.secret})
    assert answer.status == 200, answer.data
    return answer.data.decode()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_no_grouping_shows_more(reader: Caller, form: str) -> None:
    seen = sum(octets_of(*place) for place in SEEN)
    for grouping in chain.from_iterable(combinations(Grouping, size) for size in range(len(Grouping) + 1)):
        told = report(reader, form, group_by=",".join(grouping))
        assert not [secret for secret in SECRETS if secret in told], grouping
        if not grouping:
            assert sum(_octets_of_rows(told, form)) == seen


def _octets_of_rows(told: str, form: str) -> Iterator[int]:
    """Give the octets of each row; each point is a boundary of its own, so there are several."""
    if form == "csv":
        return (int(line["octets"]) for line in csv.DictReader(io.StringIO(told)))
    return (row["octets"] for interval in json.loads(told)["intervals"] for row in interval["usage"])


def _timeless(told: str) -> str:
    """Give a report without the time at which it was read."""
    return re.sub(r'"read_at":"[^"]*"', "", told)


@pytest.mark.parametrize("filters", [{"label_id": LABELS[2].id}, {"observation_point_id": POINTS[2].id}, {"point_project_id": OTHER}])
def test_no_filter_shows_more(reader: Caller, filters: dict[str, str]) -> None:
    told = report(reader, "json", group_by="label,point", **filters)
    assert not [secret for secret in SECRETS if secret in told]
    unknown = report(reader, "json", group_by="label,point", **dict.fromkeys(filters, "nobody"))
    assert _timeless(told) == _timeless(unknown) or "point_project_id" in filters
