"""What a version is filled with, to be found again by another: batches in every form, and the content of a server.

Owns the content. It has fixed ids and times, so that it is the same whenever and by whichever version it is made.
"""

from typing import Any
from uuid import UUID

from tests.support.batches import NO_COUNTS, Counts, SpoolOfTests, make_interval, send_form
from tests.support.server import ServerProcess
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import BatchLabel, BatchPoint, MeteredInterval

BEGIN = 1_748_736_000 * SECOND
"""2025-06-01T00:00:00Z, a border of every bin."""

SPAN = ("2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z")
"""The time that the batches lie in."""

BELIEVED = {"VENTURI_LEDGER_PLAN_FILE_HOSTS": "edge-1"}
"""The setting by which a server believes what the batches say; versions before it believe everybody."""

HOUR = 3600 * SECOND
MINUTE = 60 * SECOND
POINTS = [
    BatchPoint(str(UUID(int=1)), "uplink", "p1", True, "interface"),
    BatchPoint(str(UUID(int=2)), "gateway", "p1", False, "router"),
]
LABELS = [
    BatchLabel(str(UUID(int=11)), "web", "p1", False),
    BatchLabel(str(UUID(int=12)), "mail", "p2", False),
    BatchLabel(str(UUID(int=13)), "all", "p1", True),
]
WEB = [(0, 0, 10, 1000), (1, 0, 7, 4900), (2, 1, 4, 400), (2, 2, 1, 60)]
GAPS = ("device_gone", "counters_lost", "foreign_counters", "spool_rolled_back", "not_metered")


def sent_batches() -> list[bytes]:
    """Give the batches of one spool as they travel: complete and partial coverage, gaps, long intervals, points of two kinds."""
    spool = SpoolOfTests(agent_id="agent-1", host="edge-1", spool_id="c" * 32, points=POINTS, labels=LABELS)
    gap: dict[str, Any] = {"coverage": "gap", "generation": "", "classifier": "", "revision": 0}
    sealed = [
        spool.seal(_at(0, 1, usage=WEB, unmatched=(5, 500)), _at(1, 2, usage=[(0, 0, 1 << 40, 1 << 50)]), sealed_at=BEGIN + HOUR),
        spool.seal(
            _at(3, 1, usage=WEB, coverage="partial", reason="bypass", segments="merged"),
            *[_at(4 + number, 1, reason=reason, **gap) for number, reason in enumerate(GAPS)],
            _at(9, 14 * 60, usage=WEB),
            sealed_at=BEGIN + 15 * HOUR,
        ),
        spool.seal(_at(0, 5, usage=WEB, point=1, place=f"qrouter-{UUID(int=3)}/qg-1"), _at(5, 1, point=1), sealed_at=BEGIN + 16 * HOUR),
    ]
    return [send_form(envelope) for envelope in sealed]


def held_batch() -> bytes:
    """Give a batch of a host that nobody told anything: a server that believes hosts about what they were told holds its interval."""
    spool = SpoolOfTests(agent_id="agent-9", host="edge-9", spool_id="d" * 32, points=POINTS, labels=LABELS)
    return send_form(spool.seal(_at(20, 1, usage=WEB), sealed_at=BEGIN + HOUR))


def _at(minute: int, minutes: int, *, unmatched: Counts = NO_COUNTS, **others: Any) -> MeteredInterval:  # noqa: ANN401 - fields of an interval
    start = BEGIN + minute * MINUTE
    return make_interval(start=start, end=start + minutes * MINUTE, unmatched=unmatched, **others)


def fill_server(server: ServerProcess) -> None:
    """Fill an empty server: labels, rules, points and deletions, batches, one that contradicts them, and a correction."""
    label_id = ""
    for name in ("web", "mail", "gone"):
        label = _create(server, "/v2.0/metering/metering-labels", {"metering_label": {"name": name, "description": "", "shared": True}})
        label_id = label["metering_label"]["id"]
        for direction, prefix in (("ingress", "10.0.0.0/8"), ("egress", "2001:db8::/32")):
            rule = {"metering_label_id": label_id, "direction": direction, "source_ip_prefix": prefix}
            _create(server, "/v2.0/metering/metering-label-rules", {"metering_label_rule": rule})
    assert server.request("DELETE", f"/v2.0/metering/metering-labels/{label_id}").status == 204
    places = (
        {"kind": "interface", "host": "edge-1", "device": "eth0", "traffic": "both"},
        {"kind": "router", "router_id": str(UUID(int=3)), "hook": "tc"},
    )
    for place in places:
        _create(server, "/v1/observation-points", {"name": place["kind"], "shared": True, **place})
    exporter = {"kind": "exporter", "name": "exporter", "shared": True, "address": "192.0.2.1", "outside_interfaces": [1, 2]}
    assert server.request("POST", "/v1/observation-points", form=exporter).status in {201, 400}, "only earlier servers take it"
    for body in sent_batches():
        post_batch(server, body)
    entries = [{"posting": 1, "ordinal": 4, "packets": -1, "octets": -100}]
    _create(server, "/v1/corrections", {"reason": "counted twice", "entries": entries})


def post_batch(server: ServerProcess, body: bytes) -> None:
    """Post a batch."""
    assert server.request("POST", "/v1/batches", body=body, headers={"Content-Type": "application/vnd.venturi.batch"}).status == 200


def _create(server: ServerProcess, path: str, form: object) -> dict[str, dict[str, str]]:
    answer = server.request("POST", path, form=form)
    assert answer.status == 201, (path, answer.data)
    return dict(answer.json())
