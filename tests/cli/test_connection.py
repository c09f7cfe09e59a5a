"""What the client makes of servers that are not there, refuse, or are no venturi servers at all."""

import gzip
import json
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.scripted_server import http_answer, scripted_server
from tests.support.server import running_server
from venturi.adapters.client.agents import PlanClient
from venturi.adapters.client.collections import LABELS, POINTS, RULES, Reference
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.connection import Connection
from venturi.adapters.client.ledger import LedgerClient
from venturi.adapters.client.resources import Resources
from venturi.core.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    InvalidTokenRequestError,
    LabelNotFoundError,
    NotFoundError,
    RequestTooLargeError,
    RuleNotFoundError,
    ServerError,
    UnauthenticatedError,
    UnreadableFileError,
    VenturiError,
)

IDENTIFIER = "5f3a4b0e-3f6c-4d0b-9a52-6c1d1a1f7c11"
OTHER_IDENTIFIER = "6f3a4b0e-3f6c-4d0b-9a52-6c1d1a1f7c11"


def _neutron(message: str) -> str:
    return json.dumps({"NeutronError": {"type": "Some", "message": message, "detail": ""}})


def _labels(*names: str, following: str | None = None) -> bytes:
    answer: dict[str, object] = {"metering_labels": [{"id": f"id of {name}", "name": name} for name in names]}
    if following is not None:
        answer["metering_labels_links"] = [{"rel": "previous", "href": "x"}, {"rel": "next", "href": following}]
    return http_answer(json.dumps(answer))


def _ask(answers: Sequence[bytes], method: str = "GET", read_seconds: float = 30) -> tuple[object, list[str]]:
    with scripted_server(answers) as server, Connection(ConnectionConfig(url=server.url, read_seconds=read_seconds)) as connection:
        return connection.ask(method, "/v1/labels"), server.requests


@pytest.mark.parametrize(
    ("date", "heard"),
    [
        pytest.param(["Date: Thu, 01 Jan 2026 00:00:00 GMT"], [1_767_225_600_500_000_000], id="a date"),
        pytest.param([], [], id="none"),
        pytest.param(["Date: yesterday"], [], id="no date"),
        pytest.param(["Date: Thu, 99 Jan 2026 00:00:00 GMT"], [], id="a day that no month has"),
        pytest.param(["Date: Thu, 01 Jan 2026 00:00:00 -0000"], [], id="a time of nowhere"),
        pytest.param(["Date: Thu, 01 Jan 99999999 00:00:00 GMT"], [], id="a year that no calendar has"),
    ],
)
def test_what_time_it_is_at_the_server_is_heard_of_its_answers(date: list[str], heard: list[int]) -> None:
    told: list[int] = []
    with (
        scripted_server([http_answer("{}", 200, *date)]) as server,
        Connection(ConnectionConfig(url=server.url), told.append) as connection,
    ):
        connection.ask("GET", "/v1/labels")
    assert told == heard


def test_a_server_says_what_time_it_is(tmp_path: Path) -> None:
    told: list[int] = []
    with running_server(tmp_path) as server, Connection(ConnectionConfig(url=server.url), told.append) as connection:
        connection.ask("GET", "/v1/labels")
        PlanClient(connection, "h", "h").ask("", 1)
    assert [abs(time.time_ns() - each) < 5_000_000_000 for each in told] == [True, True]


def test_endless_answers_are_not_read_to_their_end() -> None:
    bomb = http_answer(gzip.compress(bytes(200 << 20), 1), 200, "Content-Encoding: gzip", "ETag: x")
    with scripted_server([bomb, bomb]) as server, Connection(ConnectionConfig(url=server.url, longest_answer=1 << 20)) as connection:
        tracemalloc.start()
        try:
            with pytest.raises(ServerError, match="longer than 67108864 octets, so it is not read"):
                PlanClient(connection, "h", "h").ask("", 1)
            with pytest.raises(ServerError, match="longer than 1048576 octets, so it is not read"):
                LedgerClient(connection).standing("0" * 32)
            assert tracemalloc.get_traced_memory()[1] < 160 << 20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        pytest.param(http_answer(_neutron("no such thing"), 400), InvalidRequestError, "no such thing", id="refused by Neutron's form"),
        pytest.param(
            http_answer('{"error": {"code": 401, "message": "who are you?"}}', 401),
            UnauthenticatedError,
            "who are you?",
            id="unauthenticated",
        ),
        pytest.param(http_answer(_neutron("not you"), 403), ForbiddenError, "not you", id="forbidden"),
        pytest.param(http_answer(_neutron("nothing here"), 404), NotFoundError, "nothing here", id="not found"),
        pytest.param(http_answer(_neutron("overlaps"), 409), ConflictError, "overlaps", id="conflict"),
        pytest.param(http_answer(_neutron("too much"), 413), RequestTooLargeError, "too much", id="too large"),
        pytest.param(http_answer(_neutron("slow down"), 429), ServerError, "slow down", id="a refusal that passes"),
        pytest.param(http_answer(_neutron("not so"), 415), InvalidRequestError, "not so", id="another refusal"),
        pytest.param(http_answer(_neutron("out of order"), 503), ServerError, "out of order", id="out of order"),
        pytest.param(http_answer(_neutron("a\x1b[2J\nb"), 400), InvalidRequestError, "a\\u001b[2J b", id="control characters"),
        pytest.param(http_answer("<html>", 502), ServerError, "{request}: refused with status 502", id="a proxy's page"),
        pytest.param(http_answer('{"error": "no"}', 404), NotFoundError, "{request}: refused with status 404", id="another form of error"),
        pytest.param(http_answer('["a"]', 418), InvalidRequestError, "{request}: refused with status 418", id="no object"),
        pytest.param(
            http_answer("", 302, "Location: http://192.0.2.1/"),
            ServerError,
            "{request}: the answer is 302, which a venturi server does not give",
            id="a redirection is not followed",
        ),
        pytest.param(
            http_answer("<html>"), ServerError, "{request}: the answer is not JSON, so this is no venturi server", id="a page for people"
        ),
        pytest.param(
            http_answer(b'{"a": "\xff"}'), ServerError, "{request}: the answer is not JSON, so this is no venturi server", id="not UTF-8"
        ),
        pytest.param(
            http_answer("[" * 100_000), ServerError, "{request}: the answer is not JSON, so this is no venturi server", id="endless nesting"
        ),
    ],
)
def test_an_answer_that_is_none_becomes_one_sentence(answer: bytes, error: type[VenturiError], sentence: str) -> None:
    with scripted_server([answer]) as server, Connection(ConnectionConfig(url=server.url)) as connection:
        with pytest.raises(VenturiError) as raised:
            connection.ask("GET", "/v1/labels")
        expected = sentence.format(request=f"GET {server.url}/v1/labels") if "{request}" in sentence else sentence
    assert (type(raised.value), str(raised.value)) == (error, expected)


@pytest.mark.parametrize(
    ("answers", "method", "requests"),
    [
        pytest.param([b"", b"", http_answer("{}")], "GET", 3, id="reading again after the connection broke twice"),
        pytest.param([b"", http_answer("{}")], "PUT", 2, id="replacing again"),
        pytest.param([b"SSH-2.0-x\r\n", http_answer("{}")], "GET", 2, id="reading again after no HTTP"),
    ],
)
def test_what_may_be_done_twice_is_tried_again(answers: Sequence[bytes], method: str, requests: int) -> None:
    answer, asked = _ask(answers, method)
    assert (answer, len(asked)) == ({}, requests)


@pytest.mark.parametrize(
    ("answers", "method"),
    [
        pytest.param([b"", http_answer("{}")], "POST", id="creating is not tried again"),
        pytest.param([b"", http_answer("{}")], "DELETE", id="deleting is not tried again"),
        pytest.param([b"", http_answer("{}")], "PATCH", id="changing is not tried again"),
        pytest.param([b"", b"", b"", http_answer("{}")], "GET", id="reading ends after three times"),
        pytest.param([http_answer("{}")[:-1]] * 3, "GET", id="an answer that breaks off"),
    ],
)
def test_a_broken_connection_is_said_to_be_one(answers: Sequence[bytes], method: str) -> None:
    with pytest.raises(
        ServerError, match=r"^the server at http://127\.0\.0\.1:\d+ cannot be reached: it ended the connection without a whole"
    ):
        _ask(answers, method)


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever() -> None:
    with pytest.raises(ServerError, match=r"cannot be reached: it does not answer in time$"):
        _ask([], read_seconds=0.2)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        pytest.param("http://127.0.0.1:9", "the server at http://127.0.0.1:9 cannot be reached: Connection refused", id="nobody listens"),
        pytest.param(
            "http://nowhere.invalid", "the server at http://nowhere.invalid cannot be reached: Name or service not known", id="no such host"
        ),
    ],
)
def test_a_server_that_is_not_there_is_said_to_be_so(url: str, sentence: str) -> None:
    with Connection(ConnectionConfig(url=url)) as connection, pytest.raises(ServerError) as raised:
        connection.ask("GET", "/")
    assert str(raised.value) == sentence


def test_a_server_without_tls_is_said_to_have_none() -> None:
    with (
        scripted_server([b"SSH-2.0-x\r\n"]) as server,
        Connection(ConnectionConfig(url=f"https://127.0.0.1:{server.port}")) as connection,
        pytest.raises(ServerError, match="does not speak TLS as it should"),
    ):
        connection.ask("GET", "/")


@pytest.mark.parametrize(
    "url", ["", "localhost:9696", "ftp://localhost", "http://", "http://a:b@localhost", "http://localhost/?a=1", "http://localhost:port"]
)
def test_a_url_that_names_no_server_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="is not the URL of a server"):
        Connection(ConnectionConfig(url=url)).start()


@pytest.mark.parametrize(
    ("url", "insecure", "allowed"),
    [
        pytest.param("http://127.0.0.1:9696", False, True, id="this machine"),
        pytest.param("http://127.8.0.1:9696", False, True, id="this machine by another address"),
        pytest.param("http://[::1]:9696", False, True, id="this machine by IPv6"),
        pytest.param("http://LocalHost:9696", False, True, id="this machine by name"),
        pytest.param("https://venturi.example.net", False, True, id="TLS"),
        pytest.param("http://venturi.example.net", False, False, id="plain HTTP to another host"),
        pytest.param("http://192.0.2.1", False, False, id="plain HTTP to another address"),
        pytest.param("http://localhost.example.net", False, False, id="a name that only begins like this machine"),
        pytest.param("http://venturi.example.net", True, True, id="insisted on"),
    ],
)
def test_a_token_goes_only_where_nobody_reads_it(url: str, insecure: bool, allowed: bool) -> None:
    connection = Connection(ConnectionConfig(url=url, token="venturi_secret", insecure_token=insecure))  # noqa: S106 - a made-up one
    if allowed:
        connection.start()
        connection.stop()
        return
    with pytest.raises(InvalidTokenRequestError, match="is not sent over plain HTTP") as raised:
        connection.start()
    assert "secret" not in str(raised.value)


def test_a_token_with_a_line_break_is_refused() -> None:
    with pytest.raises(InvalidTokenRequestError, match="characters that no token has"):
        Connection(ConnectionConfig(token="a\nX-Injected: 1")).start()  # noqa: S106 - a made-up one


def test_the_token_is_sent_and_the_path_of_the_url_kept() -> None:
    with scripted_server([http_answer("{}")]) as server:
        config = ConnectionConfig(url=f"{server.url}/metering/", token="venturi_secret")  # noqa: S106 - a made-up one
        with Connection(config) as connection:
            connection.ask("GET", "/v1/labels")
    assert server.requests == ["GET /metering/v1/labels"]
    assert b"Authorization: Bearer venturi_secret" in server.raw[0]


def test_a_ca_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"none\.pem: cannot be read as certificates: No such file"):
        Connection(ConnectionConfig(url="https://localhost", ca_file=str(tmp_path / "none.pem"))).start()


@pytest.mark.parametrize(
    ("answers", "limit", "found", "requests"),
    [
        pytest.param([_labels()], None, [], ["GET /v2.0/metering/metering-labels?limit=1000"], id="none"),
        pytest.param([_labels("a", "b")], None, ["a", "b"], ["GET /v2.0/metering/metering-labels?limit=1000"], id="one page"),
        pytest.param([_labels("a", "b")], 1, ["a"], ["GET /v2.0/metering/metering-labels?limit=1"], id="more than asked for"),
        pytest.param(
            [_labels("a", following="http://192.0.2.9/elsewhere?limit=1&marker=a%20b"), _labels("b", following="?marker=b"), _labels()],
            None,
            ["a", "b"],
            [
                "GET /v2.0/metering/metering-labels?limit=1000",
                "GET /v2.0/metering/metering-labels?limit=1&marker=a+b",
                "GET /v2.0/metering/metering-labels?marker=b",
            ],
            id="links are followed on the same server, to an empty page",
        ),
    ],
)
def test_lists_are_read_page_by_page(answers: Sequence[bytes], limit: int | None, found: list[str], requests: list[str]) -> None:
    with scripted_server(answers) as server, Connection(ConnectionConfig(url=server.url)) as connection:
        labels = Resources(connection).find_all(LABELS, (), limit)
    assert [label["name"] for label in labels] == found
    assert server.requests == requests


def test_a_list_by_marker_is_read_to_its_end() -> None:
    pages = [
        http_answer(json.dumps({"observation_points": [{"id": name}], "next": following})) for name, following in (("a", "a"), ("b", None))
    ]
    with scripted_server(pages) as server, Connection(ConnectionConfig(url=server.url)) as connection:
        points = Resources(connection).find_all(POINTS, (("name", "ü&x"),))
    assert [point["id"] for point in points] == ["a", "b"]
    assert server.requests == [
        "GET /v1/observation-points?name=%C3%BC%26x",
        "GET /v1/observation-points?name=%C3%BC%26x&marker=a",
    ]


def test_a_list_that_goes_in_circles_ends() -> None:
    page = _labels("a", following="?marker=a")
    with scripted_server([page] * 3) as server, Connection(ConnectionConfig(url=server.url)) as connection:
        resources = Resources(connection)
        with pytest.raises(ServerError, match="round in circles"):
            resources.find_all(LABELS)


@pytest.mark.parametrize(
    "document", ["[]", "{}", '{"metering_labels": {}}', '{"metering_labels": ["a"]}', '{"metering_labels": [{"name": "a"}]}', "null", "3"]
)
def test_an_answer_of_another_shape_is_no_venturi_server(document: str) -> None:
    with scripted_server([http_answer(document)]) as server, Connection(ConnectionConfig(url=server.url)) as connection:
        resources = Resources(connection)
        with pytest.raises(ServerError, match="the answer does not describe labels"):
            resources.find_all(LABELS)


MISSING = http_answer(_neutron("gone"), 404)


@pytest.mark.parametrize(
    ("text", "answers", "requests"),
    [
        pytest.param(
            IDENTIFIER,
            [http_answer(json.dumps({"metering_label": {"id": "found"}}))],
            [f"GET /v2.0/metering/metering-labels/{IDENTIFIER}"],
            id="by id",
        ),
        pytest.param(
            IDENTIFIER.upper(),
            [http_answer(json.dumps({"metering_label": {"id": "found"}}))],
            [f"GET /v2.0/metering/metering-labels/{IDENTIFIER}"],
            id="by id in capitals",
        ),
        pytest.param(
            IDENTIFIER,
            [MISSING, http_answer(json.dumps({"metering_labels": [{"id": "found"}]}))],
            [
                f"GET /v2.0/metering/metering-labels/{IDENTIFIER}",
                f"GET /v2.0/metering/metering-labels?name={IDENTIFIER}&limit=1000",
            ],
            id="by a name that looks like an id",
        ),
        pytest.param(
            "../a b",
            [http_answer(json.dumps({"metering_labels": [{"id": "found"}]}))],
            ["GET /v2.0/metering/metering-labels?name=..%2Fa+b&limit=1000"],
            id="by a name that looks like a path",
        ),
    ],
)
def test_a_resource_is_found_by_id_or_else_by_name(text: str, answers: Sequence[bytes], requests: list[str]) -> None:
    with scripted_server(answers) as server, Connection(ConnectionConfig(url=server.url)) as connection:
        assert Resources(connection).identify(Reference(LABELS, text)) == "found"
    assert server.requests == requests


@pytest.mark.parametrize(
    ("reference", "answers", "error", "sentence"),
    [
        pytest.param(
            Reference(LABELS, "shop"), [_labels()], LabelNotFoundError, "there is no label with the id or name 'shop'", id="no such name"
        ),
        pytest.param(
            Reference(LABELS, "shop"),
            [_labels("shop", "shop")],
            ConflictError,
            "2 labels have the name 'shop': give the id, id of shop, id of shop",
            id="two of a name",
        ),
        pytest.param(Reference(RULES, "shop"), [], RuleNotFoundError, "there is no rule 'shop'", id="rules have no names"),
        pytest.param(
            Reference(RULES, OTHER_IDENTIFIER), [MISSING], RuleNotFoundError, f"there is no rule '{OTHER_IDENTIFIER}'", id="no such rule"
        ),
    ],
)
def test_what_is_not_there_or_ambiguous_is_said_so(
    reference: Reference, answers: Sequence[bytes], error: type[VenturiError], sentence: str
) -> None:
    with scripted_server(answers) as server, Connection(ConnectionConfig(url=server.url)) as connection, pytest.raises(error) as raised:
        Resources(connection).find(reference)
    assert str(raised.value) == sentence
