"""Clients that are slow, large, broken or many get a clear answer or none, and the server stays of use to the others."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.frame.wire import connect, dribble, json_of, read_to_end, speak, statuses
from tests.support.server import ServerProcess, running_server

LABELS = "/v2.0/metering/metering-labels"
TIGHT = """
[limits]
header_octets = 4096
header_lines = 40
url_octets = 1024
body_octets = 100000
header_seconds = 1.5
body_seconds = 1.5
idle_seconds = 2
send_seconds = 2.0
connections = 12
"""


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server within narrow limits."""
    with running_server(tmp_path_factory.mktemp("tight"), config=TIGHT) as running:
        yield running


@pytest.fixture(autouse=True)
def _serves_others(tight: ServerProcess) -> Iterator[None]:
    yield
    deadline = time.monotonic() + 10
    while tight.request("GET", "/healthz/live").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def head(first: str, *lines: str) -> bytes:
    return "\r\n".join((first, "Host: localhost", *lines, "", "")).encode("latin-1")


CHUNKED = head(f"POST {LABELS} HTTP/1.1", "Transfer-Encoding: chunked")
UPGRADE = ("Connection: Upgrade", "Upgrade: h2c")
SECOND = head("GET /healthz/live HTTP/1.1")

CASES = {
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00garbage\r\n\r\n", 400, "error"),
    "a line of text": (b"hello\r\n\r\n", 400, "error"),
    "no known method": (head("BREW / HTTP/1.1"), 400, "error"),
    "an octet beyond ASCII in the URL": (b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "error"),
    "a zero in a header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: b\0c\r\n\r\n", 400, "error"),
    "a length that is no number": (head("POST /v1/labels HTTP/1.1", "Content-Length: many"), 400, "error"),
    "two lengths": (head(f"POST {LABELS} HTTP/1.1", "Content-Length: 2", "Content-Length: 3"), 400, "NeutronError"),
    "a length and chunks": (head(f"POST {LABELS} HTTP/1.1", "Content-Length: 2", "Transfer-Encoding: chunked"), 400, "NeutronError"),
    "no host": (b"GET /v1/labels HTTP/1.1\r\n\r\n", 400, "error"),
    "two hosts": (head("GET /v1/labels HTTP/1.1", "Host: localhost"), 400, "error"),
    "another protocol and a body": (head(f"POST {LABELS} HTTP/1.1", *UPGRADE, "Content-Length: 40") + SECOND, 400, "NeutronError"),
    "another protocol and chunks": (head("POST /v1/explain HTTP/1.1", *UPGRADE, "Transfer-Encoding: chunked") + SECOND, 400, "error"),
    "a chunk of no length": (CHUNKED + b"zz\r\n", 400, "NeutronError"),
    "a chunk of less than nothing": (CHUNKED + b"-1\r\n", 400, "NeutronError"),
    "a chunk of 68 bits": (CHUNKED + b"10000000000000000\r\n", 400, "NeutronError"),
    "a chunk longer than its length": (CHUNKED + b"2\r\nabcd\r\n0\r\n\r\n", 400, "NeutronError"),
    "a bad chunk after a good one": (CHUNKED + b"2\r\n{ \r\nxyz", 400, "NeutronError"),
    "a chunk behind a line feed alone": (CHUNKED + b"2\n{ \r\n", 400, "NeutronError"),
    "a bad chunk of a batch": (head("POST /v1/batches HTTP/1.1", "Transfer-Encoding: chunked") + b"zz\r\n", 400, "error"),
    "a trailer that is none": (CHUNKED + b"2\r\n{}\r\n0\r\nno trailer\r\n\r\n", 400, "NeutronError"),
    "many trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X-A: b\r\n" * 50 + b"\r\n", 431, "NeutronError"),
    "a long trailer": (CHUNKED + b"2\r\n{}\r\n0\r\nX-A: " + b"b" * 5_000 + b"\r\n\r\n", 431, "NeutronError"),
    "a coding besides chunks": (head(f"POST {LABELS} HTTP/1.1", "Transfer-Encoding: gzip, chunked"), 501, "NeutronError"),
    "two lines of codings": (head("POST /v1/explain HTTP/1.1", "Transfer-Encoding: br", "Transfer-Encoding: chunked"), 501, "error"),
    "a long URL": (head(f"GET {LABELS}?name={'a' * 1100} HTTP/1.1"), 414, "NeutronError"),
    "a long URL elsewhere": (head(f"GET /v1/{'a' * 1100} HTTP/1.1"), 414, "error"),
    "a long header line": (head(f"GET {LABELS} HTTP/1.1", f"X-Auth-Token: {'a' * 4200}"), 431, "NeutronError"),
    "many header lines": (head("GET /v1/labels HTTP/1.1", *(f"X-{number}: a" for number in range(50))), 431, "error"),
    "a header line without end": (b"GET /v1/labels HTTP/1.1\r\nX-A: " + b"a" * 400_000, 431, "error"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_request_is_refused(tight: ServerProcess, name: str) -> None:
    sent, status, envelope = CASES[name]
    answer = speak(tight.port, sent)
    assert statuses(answer) == [status], answer
    assert list(json_of(answer)) == [envelope]
    assert b"x-openstack-request-id: req-" in answer
    assert b"connection: close" in answer


def test_bad_percent_encoding_is_no_fault(tight: ServerProcess) -> None:
    for path in ("/v1/%ff%fe", f"{LABELS}/%ff", "/%00", f"{LABELS}?name=%ff%c3%28&%ff=1"):
        assert tight.request("GET", path).status in {200, 400, 404}


@pytest.mark.parametrize("path", ["/v1/labels", LABELS])
def test_a_body_that_says_it_is_too_large_is_refused(tight: ServerProcess, path: str) -> None:
    answer = tight.request("POST", path, body=b" " * 200_000)
    assert answer.status == 413
    assert "100000 octets" in answer.data.decode()
    assert list(answer.json()) == ["NeutronError" if path == LABELS else "error"]


def test_a_body_that_grows_too_large_is_refused(tight: ServerProcess) -> None:
    with connect(tight.port) as connection:
        connection.sendall(head(f"POST {LABELS} HTTP/1.1", "Transfer-Encoding: chunked"))
        for _ in range(30):
            connection.sendall(b"1388\r\n" + b" " * 0x1388 + b"\r\n")
        connection.sendall(b"0\r\n\r\n" + head("GET /healthz/live HTTP/1.1", "Connection: close"))
        answer = read_to_end(connection)
    assert statuses(answer) == [413, 200]


def test_a_body_that_comes_after_its_answer_is_not_taken_for_a_header(tight: ServerProcess) -> None:
    with connect(tight.port) as connection:
        connection.sendall(head("POST /nowhere HTTP/1.1", "Content-Length: 60000"))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 404 ")
        connection.sendall(b" " * 60_000)
        connection.sendall(head("GET /healthz/live HTTP/1.1", "Connection: close"))
        assert statuses(read_to_end(connection)) == [200]


def test_asking_for_another_protocol_is_no_obstacle(tight: ServerProcess) -> None:
    asked = head("GET /healthz/live HTTP/1.1", *UPGRADE)
    with connect(tight.port) as connection:
        connection.sendall(asked)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(head("GET /healthz/live HTTP/1.1", "Connection: close"))
        assert statuses(read_to_end(connection)) == [200]


def test_an_expected_body_that_is_too_large_is_not_asked_for(tight: ServerProcess) -> None:
    lines = ("Content-Length: 999999999999", "Expect: 100-continue", "Connection: close")
    answer = speak(tight.port, head(f"POST {LABELS} HTTP/1.1", *lines))
    assert statuses(answer) == [413]


def test_a_half_open_connection_is_closed(tight: ServerProcess) -> None:
    began = time.monotonic()
    with connect(tight.port) as connection:
        assert read_to_end(connection) == b""
    assert time.monotonic() - began < 5


SLOW = {
    "header lines": (b"GET /v1/labels HTTP/1.1\r\n", b"X-A: b\r\n"),
    "one header line": (b"GET /v1/labels HTTP/1.1\r\nX-A: ", b"a"),
    "the URL": (b"GET /v1/", b"a"),
    "empty lines": (b"\r\n", b"\r\n"),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_header_is_answered_in_time(tight: ServerProcess, name: str) -> None:
    start, repeated = SLOW[name]
    answer, seconds = dribble(tight.port, start, repeated, every=0.1, seconds=10)
    assert seconds < 6
    assert statuses(answer) in ([408], [])
    assert name == "empty lines" or statuses(answer) == [408]


def test_a_slow_header_after_a_request_is_answered_in_time(tight: ServerProcess) -> None:
    start = head("GET /healthz/live HTTP/1.1") + b"GET /v1/labels HTTP/1.1\r\n"
    answer, seconds = dribble(tight.port, start, b"X-A: b\r\n", every=0.1, seconds=10)
    assert seconds < 6
    assert statuses(answer) == [200, 408]


@pytest.mark.parametrize("path", [LABELS, "/nowhere"])
def test_a_slow_body_is_answered_in_time(tight: ServerProcess, path: str) -> None:
    answer, seconds = dribble(tight.port, head(f"POST {path} HTTP/1.1", "Content-Length: 90000"), b" ", every=0.1, seconds=20)
    assert seconds < 15
    assert statuses(answer) == [408] if path == LABELS else [404]


def test_a_client_that_reads_no_answers_is_cut_off(tight: ServerProcess) -> None:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", tight.port))
        connection.sendall(head("GET /openapi.json HTTP/1.1") * 300)
        tight.wait_for_log("dropped", 20, reason="answer_unread")
    assert tight.request("GET", "/healthz/live").status == 200


def test_an_idle_connection_is_closed(tight: ServerProcess) -> None:
    began = time.monotonic()
    assert statuses(speak(tight.port, head("GET /healthz/live HTTP/1.1"))) == [200]
    assert 1 < time.monotonic() - began < 6


def test_pipelined_requests_are_answered_in_order(tight: ServerProcess) -> None:
    asked = [head(f"GET /{path} HTTP/1.1") for path in ("healthz/live", "nowhere", "healthz/ready")]
    answer = speak(tight.port, b"".join(asked) + head("GET /v2.0/nowhere HTTP/1.1", "Connection: close"))
    assert statuses(answer) == [200, 404, 200, 404]


def test_garbage_after_a_request_does_not_spoil_its_answer(tight: ServerProcess) -> None:
    answer = speak(tight.port, head("GET /healthz/ready HTTP/1.1") + b"\0\0garbage\r\n\r\n")
    assert statuses(answer) in ([200], [200, 400])


def test_a_client_that_goes_away_while_it_sends_leaves_no_fault(tight: ServerProcess) -> None:
    faults = [line for line in tight.log if line["event"] == "fault"]
    with connect(tight.port) as connection:
        connection.sendall(head(f"POST {LABELS} HTTP/1.1", "Content-Length: 5000") + b"{")
    time.sleep(0.5)
    assert [line for line in tight.log if line["event"] == "fault"] == faults


def test_one_connection_too_many_is_told_so(tight: ServerProcess) -> None:
    held = [connect(tight.port) for _ in range(12)]
    time.sleep(0.2)
    answer = speak(tight.port, head("GET /v1/labels HTTP/1.1"))
    for connection in held:
        connection.close()
    assert statuses(answer) == [503]
    assert "12 connections" in json_of(answer)["error"]["message"]


def test_refusals_are_counted_by_reason(tight: ServerProcess) -> None:
    speak(tight.port, b"hello\r\n\r\n")
    metrics = tight.request("GET", "/metrics").data.decode()
    counted = next(line for line in metrics.splitlines() if line.startswith('venturi_http_refused_total{reason="malformed"}'))
    assert float(counted.split()[-1]) >= 1


def test_a_thousand_concurrent_writers_all_succeed(tmp_path: Path) -> None:
    answers: list[tuple[int, str]] = []

    def write(server: ServerProcess, number: int) -> None:
        answer = server.request("POST", LABELS, form={"metering_label": {"name": f"label {number}"}})
        answers.append((answer.status, answer.json()["metering_label"]["id"]))

    with running_server(tmp_path) as server:
        writers = [threading.Thread(target=write, args=(server, number)) for number in range(1000)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        names = [label["name"] for label in server.request("GET", LABELS).json()["metering_labels"]]
        numbers = _revision_numbers(server)
    assert {status for status, _ in answers} == {201}
    assert len({label_id for _, label_id in answers}) == 1000
    assert sorted(names) == sorted(f"label {number}" for number in range(1000))
    assert numbers == list(range(numbers[0], numbers[0] + 1000))


def _revision_numbers(server: ServerProcess) -> list[int]:
    """Give the numbers of all revisions, of which there are no more than a page holds."""
    page = server.request("GET", "/v1/revisions?limit=1000").json()
    assert page["next"] is None
    return sorted(revision["number"] for revision in page["revisions"])


@pytest.mark.parametrize("path", ["/v1/explain", "/nowhere"])
def test_a_broken_body_of_a_pipelined_request_spoils_no_answer(tight: ServerProcess, path: str) -> None:
    broken = head(f"POST {path} HTTP/1.1", "Transfer-Encoding: chunked") + b"zz\r\n"
    answer = speak(tight.port, head("GET /healthz/ready HTTP/1.1") + broken)
    assert statuses(answer)[0] == 200
    assert statuses(answer)[1:] in ([], [400], [404])


def test_trailers_mean_nothing(tight: ServerProcess) -> None:
    with connect(tight.port) as connection:
        connection.sendall(CHUNKED + b"2\r\n{}\r\n0\r\nX-Auth-Token: a\r\nHost: other\r\n\r\n")
        connection.sendall(head("GET /healthz/live HTTP/1.1", "Connection: close"))
        assert statuses(read_to_end(connection)) == [400, 200]
