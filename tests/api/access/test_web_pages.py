"""A server that asks for no token is not at the service of every web page that a browser on its machine has open."""

from pathlib import Path

import pytest

from tests.support.server import ServerProcess, running_server

LABELS = "/v2.0/metering/metering-labels"
BODY = b'{"metering_label": {"name": "n"}}'

REFUSED = {
    "a form on a page of another place": ("POST", {"Origin": "https://pages.example", "Content-Type": "text/plain"}),
    "a page that tells no place": ("POST", {"Origin": "null"}),
    "a page of another server on this machine": ("POST", {"Origin": "http://127.0.0.1:1"}),
    "a name that was made to lead here": ("GET", {"Host": "pages.example:{port}"}),
    "such a name and its own page": ("POST", {"Host": "pages.example:{port}", "Origin": "http://pages.example:{port}"}),
    "a name that looks like an address": ("GET", {"Host": "127.0.0.1.pages.example"}),
}

ANSWERED = {
    "a client that is no browser": ("POST", {}),
    "the page of this server": ("POST", {"Origin": "http://127.0.0.1:{port}"}),
    "the page of this server by its name": ("POST", {"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}),
    "a name of this machine alone": ("POST", {"Host": "venturi.localhost"}),
    "an IPv6 address": ("POST", {"Host": "[::1]:{port}"}),
    "an address without port": ("POST", {"Host": "127.0.0.1"}),
}


def ask(server: ServerProcess, case: tuple[str, dict[str, str]]) -> tuple[int, str]:
    method, headers = case
    filled = {name: text.replace("{port}", str(server.port)) for name, text in headers.items()}
    answer = server.request(method, LABELS, headers=filled, body=BODY if method == "POST" else None)
    return answer.status, answer.data.decode()


def test_web_pages_of_other_places_are_refused(server: ServerProcess) -> None:
    for name, case in REFUSED.items():
        status, body = ask(server, case)
        assert (status, "--insecure-listen lifts this" in body) == (403, True), name
    assert server.request("GET", LABELS).json() == {"metering_labels": []}


def test_everyone_else_is_answered(server: ServerProcess) -> None:
    for name, case in ANSWERED.items():
        assert ask(server, case)[0] == 201, name


@pytest.mark.parametrize("options", [("--auth", "token"), ("--insecure-listen",)])
def test_a_server_for_others_goes_by_any_name(options: tuple[str, ...], tmp_path: Path) -> None:
    with running_server(tmp_path, *options) as server:
        assert server.request("GET", "/healthz/live", headers={"Host": "venturi.example"}).status == 200
