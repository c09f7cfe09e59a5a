"""What one small request could make the server spend without end is refused or bounded, and others go on being answered."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
import urllib3

from tests.api.frame.wire import read_to_end
from tests.support.batches import BEGINNING, SpoolOfTests, make_batch_label, make_interval, send_form
from tests.support.databases import writing_connection
from tests.support.measuring import Cost, measured
from tests.support.server import BY_PLAN_FILES, ServerProcess, running_server
from venturi.adapters.store.schema.ledger_tables import LEDGER_CONFLICTS
from venturi.core.ledger.batch import BatchLabel, Envelope, UsageRow
from venturi.core.ledger.bins import DAY

MEBIBYTE = 1 << 20
MOST_SECONDS, MOST_OCTETS, LONGEST_WAIT = 2.0, 64 * MEBIBYTE, 0.5
HEALTH_SECONDS = 0.1
MOST_LEFT = 16 * MEBIBYTE
"""What may be held beyond what was held before, once a request is over: caches and what the allocator cannot give back."""
DAY_OF_BATCHES = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server without authentication whose readers are soon cut off."""
    with running_server(tmp_path, config=f"{BY_PLAN_FILES}[limits]\nsend_seconds = 5.0\n") as running:
        yield running


def post(server: ServerProcess, body: bytes) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager(retries=False, timeout=60) as pool:
        return pool.request("POST", f"{server.url}/v1/batches", body=body)


def require_modest(cost: Cost) -> None:
    bounds = (MOST_SECONDS, MOST_OCTETS, LONGEST_WAIT, HEALTH_SECONDS)
    spent = (cost.processor_seconds, cost.peak_octets, cost.wait, cost.longest_kept)
    assert all(each <= bound for each, bound in zip(spent, bounds, strict=True)), cost


def require_returned(server: ServerProcess, before: int) -> None:
    """Wait until the server holds hardly more than it held before."""
    deadline = time.monotonic() + 20
    while (left := server.resident_octets() - before) > MOST_LEFT:
        assert time.monotonic() < deadline, f"{left / MEBIBYTE:.0f} MiB are still held"
        time.sleep(0.2)


def expanding_batch() -> bytes:
    rows = [UsageRow(0, 0, 0, 0)] * (6 * MEBIBYTE)
    form = {"version": 1, "sealed_at": 0, "points": [], "labels": [], "intervals": [{"usage": rows}]}
    return send_form(SpoolOfTests().envelope(1, bytes(32), msgspec.msgpack.encode(form)))


def test_a_batch_that_expands_is_refused(server: ServerProcess) -> None:
    body = expanding_batch()
    assert len(body) < 8_000
    before = server.resident_octets()
    for _ in range(5):
        with measured(server) as cost:
            answer = post(server, body)
        assert (answer.status, answer.json()["error"]["message"]) == (
            413,
            "intervals: with their totals and usage, a batch has at most 300004 rows",
        )
        require_modest(cost)
    require_returned(server, before)


def test_health_answers_beside_the_largest_batch(server: ServerProcess) -> None:
    labels = [make_batch_label(f"label {number}") for number in range(100_000)]
    spool = SpoolOfTests(labels=labels)
    for minute in range(2):
        usage = [(label, direction, 5, 500) for label in range(100_000) for direction in (0, 1)]
        body = send_form(spool.seal(make_interval(minute, usage=usage)))
        for path in ("/healthz/live", "/healthz/ready"):
            with measured(server, path) as cost:
                assert post(server, body).status == 200
            assert cost.longest_kept <= HEALTH_SECONDS, (path, cost)


def test_intervals_of_400_days_hold_nobody_up(server: ServerProcess) -> None:
    now = time.time_ns()
    usage = [(0, direction, 10, 1000) for direction in (0, 1)]
    intervals = [make_interval(start=now - 400 * DAY, end=now - number, usage=usage, place=f"eth{number}") for number in range(10)]
    body = send_form(SpoolOfTests().seal(*intervals))
    assert len(body) < 700
    with measured(server, "/v1/labels") as cost:
        assert post(server, body).status == 200
    require_modest(cost)


def test_labels_that_no_row_names_are_refused(server: ServerProcess) -> None:
    labels = [BatchLabel(str(number), "", "", False) for number in range(90_000)]
    answer = post(server, send_form(SpoolOfTests(labels=labels).seal(make_interval(0, usage=[(0, 0, 1, 1)]))))
    assert (answer.status, answer.json()["error"]["message"]) == (413, "labels: there are 90000, but only 1 rows of usage to name them")
    more = [*labels, *(BatchLabel(f"more {number}", "", "", False) for number in range(210_000))]
    answer = post(server, send_form(SpoolOfTests(labels=more).seal(make_interval(0))))
    assert (answer.status, answer.json()["error"]["message"]) == (413, "labels: the batch has more than 100000, the most that are taken")


def test_what_is_refused_with_409_leaves_little_behind(server: ServerProcess) -> None:
    spool = SpoolOfTests()
    forks = [spool.fork() for _ in range(3)]
    assert post(server, send_form(spool.seal(make_interval(0)))).status == 200
    unmatched = [{"place": "eth0" * 60, "point": 0, "start": BEGINNING, "end": BEGINNING + number} for number in range(40_000)]
    for number, fork in enumerate(forks):
        envelope: Envelope = fork.seal(*(msgspec.convert(form, type(make_interval(0))) for form in unmatched), sealed_at=number)
        assert len(envelope.payload) > 10 * MEBIBYTE
        assert post(server, send_form(envelope)).status == 409
    with writing_connection(server.database) as connection:
        kept = [row.envelope for row in connection.execute(LEDGER_CONFLICTS.select())]
    assert len(kept) == 3
    assert sum(map(len, kept)) < MEBIBYTE


@pytest.fixture
def reported(server: ServerProcess) -> ServerProcess:
    """The server with usage of 5,000 labels in six hours."""
    spool = SpoolOfTests(labels=[make_batch_label(f"label {number}") for number in range(5_000)])
    for hour in range(6):
        usage = [(label, direction, 5, 500) for label in range(5_000) for direction in (0, 1)]
        assert post(server, send_form(spool.seal(make_interval(60 * hour, usage=usage)))).status == 200
    return server


REPORT = f"/v1/usage?{DAY_OF_BATCHES}&resolution=1h"


def ask_without_reading(server: ServerProcess) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(f"GET {REPORT} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def wait_for_place(server: ServerProcess) -> None:
    """Wait until no report is under way any more that keeps another from being answered."""
    deadline = time.monotonic() + 60
    while server.request("GET", f"{REPORT}&group_by=").status != 200:
        assert time.monotonic() < deadline


def leave_unread(server: ServerProcess, count: int, status: int) -> None:
    """Ask for reports without reading them until one was answered with a status, and all were cut off or refused."""
    with ExitStack() as stack:
        server.log.clear()
        for _ in range(count):
            stack.enter_context(ask_without_reading(server))
        server.wait_for_log("request", 60, status=status)
        server.wait_for_log("dropped", 60, reason="answer_unread")
        wait_for_place(server)


def test_reports_that_nobody_reads_are_bounded_and_cut_off(reported: ServerProcess) -> None:
    leave_unread(reported, 4, status=200)  # what is filled once, such as caches, is filled now
    before = reported.resident_octets()
    with measured(reported) as cost:
        leave_unread(reported, 60, status=429)
    assert 'venturi_http_refused_total{reason="too_many_reports"}' in reported.request("GET", "/metrics").data.decode()
    assert cost.peak_octets <= MOST_OCTETS, cost
    assert (cost.wait <= LONGEST_WAIT, cost.longest_kept <= HEALTH_SECONDS) == (True, True), cost
    require_returned(reported, before)


def test_readers_that_go_away_leave_no_trace(reported: ServerProcess) -> None:
    for _ in range(12):
        ask_without_reading(reported).close()
    wait_for_place(reported)
    assert not [line for line in reported.raw_log if "Traceback" in line]


def test_a_busy_server_says_so_for_now(tmp_path: Path) -> None:
    with running_server(tmp_path, config=f"{BY_PLAN_FILES}[limits]\nbatches_waiting = 1\n") as narrow:
        spools = [SpoolOfTests(labels=[make_batch_label(str(number)) for number in range(9_000)]) for _ in range(12)]
        bodies = [send_form(spool.seal(make_interval(0, usage=[(label, 0, 1, 1) for label in range(9_000)]))) for spool in spools]
        head = "POST /v1/batches HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n"
        with ExitStack() as stack:
            connections = [stack.enter_context(socket.create_connection(("127.0.0.1", narrow.port))) for _ in bodies]
            for connection, body in zip(connections, bodies, strict=True):
                connection.sendall(head.format(len(body)).encode() + body)
            answers = [read_to_end(connection) for connection in connections]
        busy = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 ")]
        assert busy
        assert all(b"1 batches wait already; try again later" in answer and b"retry-after: 1" in answer for answer in busy)
        assert post(narrow, bodies[0]).status == 200
