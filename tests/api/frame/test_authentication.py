"""Who gets in: every way to carry a token, every token that does not hold, and every path that needs none."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.server import ServerProcess, make_token, running_server
from venturi.core.domain.errors import ServeError

UNKNOWN = "/v2.0/nowhere"
REQUIRED = "The request you have made requires authentication."


@dataclass
class Guarded:
    """A server that wants tokens, and some of them."""

    server: ServerProcess
    admin: str
    reader: str
    short_lived: str


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that wants tokens."""
    folder = tmp_path_factory.mktemp("guarded")
    database = f"sqlite:///{folder / 'venturi.db'}"
    admin, reader = make_token(database), make_token(database, "reader", "other")
    short_lived = make_token(database, expires_at=time.time_ns() + 10**9)
    with running_server(folder, "--auth", "token", database=database) as server:
        yield Guarded(server, admin, reader, short_lived)


HELD: dict[str, Callable[[str], dict[str, str]]] = {
    "X-Auth-Token": lambda secret: {"X-Auth-Token": secret},
    "Bearer": lambda secret: {"Authorization": f"Bearer {secret}"},
    "bearer in lower case": lambda secret: {"Authorization": f"bearer {secret}"},
    "blanks around": lambda secret: {"X-Auth-Token": f" {secret} "},
    "both": lambda secret: {"X-Auth-Token": secret, "Authorization": "Bearer nonsense"},
}
REFUSED: dict[str, Callable[[str], dict[str, str]]] = {
    "nothing": lambda _: {},
    "an empty token": lambda _: {"X-Auth-Token": ""},
    "another word": lambda _: {"X-Auth-Token": "notused"},
    "Basic": lambda secret: {"Authorization": f"Basic {secret}"},
    "Bearer without token": lambda _: {"Authorization": "Bearer"},
    "half of it": lambda secret: {"X-Auth-Token": secret[:-1]},
    "one more figure": lambda secret: {"X-Auth-Token": secret + "0"},
    "in capitals": lambda secret: {"X-Auth-Token": secret.upper()},
    "another secret": lambda secret: {"X-Auth-Token": secret[:-64] + "0" * 64},
    "another id": lambda secret: {"X-Auth-Token": "venturi_" + "0" * 32 + secret[-65:]},
    "octets that are no UTF-8": lambda _: {"X-Auth-Token": "\xff\xfe"},
}
NO_TOKEN = "the request carries no token"  # noqa: S105 - a sentence
REASONS = {"nothing": NO_TOKEN, "an empty token": NO_TOKEN, "Basic": NO_TOKEN, "Bearer without token": NO_TOKEN}


@pytest.mark.parametrize("name", HELD)
def test_a_token_opens(guarded: Guarded, name: str) -> None:
    assert guarded.server.request("GET", UNKNOWN, headers=HELD[name](guarded.admin)).status == 404


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("path", [UNKNOWN, "/v1/labels", "/metrics", "/nowhere"])
def test_nothing_else_opens(guarded: Guarded, name: str, path: str) -> None:
    answer = guarded.server.request("GET", path, headers=REFUSED[name](guarded.admin))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="venturi"'
    told = answer.json()["error"]
    assert told == {"code": 401, "title": "Unauthorized", "message": REQUIRED, "reason": REASONS.get(name, "there is no such token")}
    assert answer.headers["X-Openstack-Request-Id"].startswith("req-")


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/ready"])
def test_some_paths_need_no_token(guarded: Guarded, path: str) -> None:
    assert guarded.server.request("GET", path).status == 200


def test_a_token_expires(guarded: Guarded) -> None:
    time.sleep(1.1)
    refused = guarded.server.request("GET", UNKNOWN, headers={"X-Auth-Token": guarded.short_lived})
    assert (refused.status, refused.json()["error"]["reason"]) == (401, "this token has expired")


def test_the_log_names_the_caller_and_not_the_token(guarded: Guarded) -> None:
    answer = guarded.server.request("GET", f"/nowhere/{guarded.admin}", headers={"X-Auth-Token": guarded.reader})
    line = guarded.server.wait_for_log("request", request_id=answer.headers["X-Openstack-Request-Id"])
    assert (line["project"], line["status"], line["method"], line["client"]) == ("other", 404, "GET", "127.0.0.1")
    written = "".join(guarded.server.raw_log)
    assert guarded.reader not in written
    assert guarded.admin not in written
    assert guarded.admin[-64:] not in written


def test_without_authentication_tokens_are_ignored(tmp_path: Path) -> None:
    with running_server(tmp_path, config='default_project = "blue"') as server:
        answer = server.request("GET", UNKNOWN, headers={"X-Auth-Token": "notused"})
        line = server.wait_for_log("request", request_id=answer.headers["X-Openstack-Request-Id"])
    assert (answer.status, line["project"]) == (404, "blue")


LISTENING = {
    "all addresses": ("0.0.0.0:0", [], "choose --auth token"),
    "all IPv6 addresses": ("[::]:0", [], "choose --auth token"),
    "an address of nobody here": ("192.0.2.1:0", ["--auth", "token"], "cannot listen on 192.0.2.1:0"),
}


@pytest.mark.parametrize("name", LISTENING)
def test_a_server_does_not_start_where_it_must_not_listen(name: str, tmp_path: Path) -> None:
    address, options, sentence = LISTENING[name]
    with pytest.raises(AssertionError, match=sentence), running_server(tmp_path, "--listen", address, *options):
        pass


def test_insisting_lets_others_in(tmp_path: Path) -> None:
    with running_server(tmp_path, "--listen", "0.0.0.0:0", "--insecure-listen") as server:
        assert server.request("GET", "/healthz/live").status == 200


def test_refusing_to_start_is_one_sentence_and_an_exit_code(tmp_path: Path) -> None:
    with pytest.raises(AssertionError), running_server(tmp_path, "--listen", "0.0.0.0:0") as server:
        assert server.process.returncode == ServeError.exit_code
