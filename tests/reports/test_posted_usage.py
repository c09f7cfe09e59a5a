"""Usage from end to end: what batches are posted is what reports tell, at each resolution, with its coverage.

Each database has a server of its own, which takes batches and is asked for reports as by an agent and an administrator.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.v1.conftest import Caller
from tests.support.batches import BEGINNING, SpoolOfTests, make_batch_label, make_interval, send_form
from tests.support.server import BY_PLAN_FILES, running_server
from venturi.core.domain.interval import SECOND, format_time
from venturi.core.ledger.batch import MEDIA_TYPE, BatchPoint, Envelope
from venturi.core.ledger.bins import BIN, DAY, HOUR

MINUTE = 60 * SECOND
TWO_HOURS = BEGINNING, BEGINNING + 2 * HOUR
COMPLETE: tuple[str, list[str], int] = ("complete", [], 300)
SPREAD: tuple[str, list[str], int] = ("interpolated", [], 300)

BATCHES = [
    [make_interval(0, 5, usage=[(0, 0, 10, 1000), (0, 1, 4, 400), (1, 0, 2, 200)])],
    [make_interval(5, 20, usage=[(0, 0, 42, 4001)])],
    [make_interval(25, 5, coverage="gap", reason="device_gone")],
    [make_interval(minute, 5, usage=[(0, 0, 1, 100), (1, 1, 1, 50)]) for minute in (30, 35, 40)],
    [make_interval(45, 5, usage=[(0, 0, 1, 100)])],
    [make_interval(minute, 5, usage=[(0, 0, 1, 100)]) for minute in (50, 55)],
    [make_interval(60, 60, usage=[(0, 0, 12, 1201)])],
]
"""Two hours of a spool; the fifth batch stays outstanding until it is asked for."""

OUTSTANDING = 4

FIVE_MINUTES = {
    0: (14, 1400, *COMPLETE),
    5: (10, 1000, *SPREAD),
    10: (11, 1000, *SPREAD),
    15: (10, 1000, *SPREAD),
    20: (11, 1001, *SPREAD),
    25: (0, 0, "gap", ["device_gone"], 0),
    **dict.fromkeys((30, 35, 40, 50, 55), (1, 100, *COMPLETE)),
    45: (0, 0, "gap", ["missing"], 0),
    **{minute: (1, 1201 * (minute - 55) // 60 - 1201 * (minute - 60) // 60, *SPREAD) for minute in range(60, 120, 5)},
}
"""Packets, octets, coverage, reasons and known seconds of the first label, by minute, while a batch is outstanding."""


@pytest.fixture
def poster(tmp_path: Path, database: str) -> Iterator[Caller]:  # noqa: PLR0206 - no property
    """An administrator of a server on each database."""
    with running_server(tmp_path, database=database, config=BY_PLAN_FILES) as server:
        yield Caller(server)


def post(caller: Caller, *envelopes: Envelope) -> None:
    """Post batches, each of which must be taken."""
    for envelope in envelopes:
        answer = caller.server.request("POST", "/v1/batches", headers={"Content-Type": MEDIA_TYPE}, body=send_form(envelope))
        assert answer.status == 200, answer.data


def make_point(caller: Caller) -> BatchPoint:
    """Make an observation point, which is held to account from its first record on."""
    form = {"kind": "interface", "name": "uplink", "host": "edge-1", "device": "eth0", "project_id": "p1"}
    return BatchPoint(caller.make("/v1/observation-points", form)["id"], "uplink", "p1", shared=False, kind="interface")


def report(caller: Caller, bounds: tuple[int, int], resolution: str, **asked: str) -> list[dict[str, Any]]:
    """Give the intervals of a report."""
    named = {"from": format_time(bounds[0]), "to": format_time(bounds[1]), "resolution": resolution}
    status, document = caller.ask("GET", f"/v1/usage?{urlencode(named | asked)}")
    assert status == 200, document
    return list(document["intervals"])


def told(intervals: Sequence[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Give packets, octets and coverage of intervals, each of which has one row or none, or one more of shared labels."""
    assert all(len([row for row in interval["usage"] if not row.get("shared")]) <= 1 for interval in intervals)
    counted = [[sum(row[name] for row in interval["usage"]) for name in ("packets", "octets")] for interval in intervals]
    covered = [(interval["coverage"], interval["reasons"], interval["known_seconds"]) for interval in intervals]
    return [(*counts, *coverage) for counts, coverage in zip(counted, covered, strict=True)]


def test_what_is_posted_is_what_is_told(poster: Caller) -> None:
    spool = SpoolOfTests(labels=[make_batch_label("web"), make_batch_label("mail", shared=True)], points=[make_point(poster)])
    sealed = [spool.seal(*intervals) for intervals in BATCHES]
    post(poster, *sealed[:OUTSTANDING], *sealed[OUTSTANDING + 1 :])
    web, day = {"label_id": spool.labels[0].id, "group_by": "label"}, (BEGINNING, BEGINNING + DAY)
    assert told(report(poster, TWO_HOURS, "5m", **web)) == [FIVE_MINUTES[minute] for minute in range(0, 120, 5)]
    first_hour = (61, 5901, "gap", ["device_gone", "missing"], 3000)
    assert told(report(poster, TWO_HOURS, "1h", **web)) == [first_hour, (12, 1201, "complete", [], 3600)]
    assert told(report(poster, day, "1d", **web)) == [(73, 7102, "gap", ["device_gone", "missing"], 6600)]
    assert told(report(poster, TWO_HOURS, "total", **web)) == [(73, 7102, "gap", ["device_gone", "missing"], 6600)]
    assert told(report(poster, TWO_HOURS, "total", group_by="project"))[0][:2] == (78, 7452)
    post(poster, sealed[OUTSTANDING])
    assert told(report(poster, TWO_HOURS, "total", **web)) == [(74, 7202, "gap", ["device_gone"], 6900)]
    assert told(report(poster, TWO_HOURS, "1h", group_by=""))[0] == (67, 6351, "gap", ["device_gone"], 3300)


def test_what_is_on_its_way_is_pending(poster: Caller) -> None:
    end = time.time_ns() - MINUTE
    end -= 5 * SECOND if min(end % BIN, BIN - end % BIN) < 2 * SECOND else 0
    start = end // BIN * BIN
    post(poster, SpoolOfTests().seal(make_interval(start=start, end=end, usage=[(0, 0, 3, 300)])))
    packets, octets, coverage, reasons, known = told(report(poster, (start, start + BIN), "5m", group_by=""))[0]
    assert (packets, octets, coverage, reasons) == (3, 300, "partial", ["pending"])
    assert known == pytest.approx((end - start) / SECOND, abs=1)
