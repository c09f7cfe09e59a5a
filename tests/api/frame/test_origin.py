"""Who asks, by which scheme and for which host: as the connection says, and through proxies that are trusted."""

from pathlib import Path
from typing import Any, cast

import pytest
from litestar.types import HTTPScope

from tests.support.server import running_server
from venturi.core.domain.errors import ConfigurationError, InvalidRequestError
from venturi.interfaces.api.origin import LOCAL, read_trusted_proxies, settle_origin

PROXIES = read_trusted_proxies(["192.0.2.0/28", "2001:db8::7", LOCAL])
TRUSTED, OTHER = ("192.0.2.1", 4000), ("198.51.100.9", 4000)
FORWARDED = {"Host": "inside", "X-Forwarded-For": "203.0.113.5", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "metering.example"}
OUTSIDE = ("https", "metering.example", "203.0.113.5")

SETTLED = {
    "no proxy": (OTHER, {"Host": "a.example:9696"}, ("http", "a.example:9696", OTHER[0])),
    "no host, as HTTP/1.0 allows": (OTHER, {}, ("http", "", OTHER[0])),
    "an IPv6 host": (OTHER, {"Host": "[::1]:9696"}, ("http", "[::1]:9696", OTHER[0])),
    "what another client says is ignored": (OTHER, FORWARDED, ("http", "inside", OTHER[0])),
    "another client's nonsense too": (OTHER, {**FORWARDED, "X-Forwarded-Proto": "javascript"}, ("http", "inside", OTHER[0])),
    "a trusted proxy": (TRUSTED, FORWARDED, OUTSIDE),
    "a trusted IPv6 proxy": (("2001:db8::7", 1), FORWARDED, OUTSIDE),
    "an IPv4 proxy as IPv6 sees it": (("::ffff:192.0.2.1", 1), FORWARDED, OUTSIDE),
    "a proxy on a local socket": (None, FORWARDED, OUTSIDE),
    "a proxy that says nothing": (TRUSTED, {"Host": "a"}, ("http", "a", TRUSTED[0])),
    "two proxies": (TRUSTED, {**FORWARDED, "X-Forwarded-For": "203.0.113.5, 192.0.2.2"}, OUTSIDE),
    "a client that forges the chain": (TRUSTED, {**FORWARDED, "X-Forwarded-For": "10.0.0.1, 203.0.113.5"}, OUTSIDE),
    "a client that forges the scheme": (TRUSTED, {**FORWARDED, "X-Forwarded-Proto": "http, https"}, OUTSIDE),
    "proxies all the way": (TRUSTED, {**FORWARDED, "X-Forwarded-For": "192.0.2.3, 192.0.2.2"}, ("https", "metering.example", "192.0.2.3")),
}

REFUSED = {
    "a path": {"Host": "a.example/v2.0"},
    "a user": {"Host": "me@a.example"},
    "a blank": {"Host": "a b"},
    "markup": {"Host": "<script>"},
    "a port beyond all": {"Host": "a:65536"},
    "a port in letters": {"Host": "a:http"},
    "an address without brackets": {"Host": "::1"},
    "brackets around no address": {"Host": "[12:34]"},
    "brackets around IPv4": {"Host": "[192.0.2.1]"},
    "another script": {"Host": "größe"},
    "a forwarded path": {"Host": "a", "X-Forwarded-Host": "b/c"},
    "a forwarded scheme": {"Host": "a", "X-Forwarded-Proto": "javascript"},
    "a forwarded client": {"Host": "a", "X-Forwarded-For": "unknown"},
}


def _scope(client: tuple[str, int] | None, headers: dict[str, str]) -> HTTPScope:
    listed = [(name.lower().encode(), value.encode("utf-8")) for name, value in headers.items()]
    scope: dict[str, Any] = {"client": client, "scheme": "http", "headers": listed}
    return cast("HTTPScope", scope)


@pytest.mark.parametrize("name", SETTLED)
def test_the_origin_is_settled(name: str) -> None:
    client, headers, expected = SETTLED[name]
    scope = _scope(client, headers)
    settle_origin(scope, PROXIES)
    host = dict(scope["headers"]).get(b"host", b"").decode()
    assert (scope["scheme"], host, scope["client"][0] if scope["client"] else None) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_nonsense_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"is no host name or address|neither http nor https|is no address"):
        settle_origin(_scope(TRUSTED, REFUSED[name]), PROXIES)


@pytest.mark.parametrize("text", ["proxy.example", "192.0.2.1/24", "192.0.2.0/33", ""])
def test_proxies_that_are_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="trusted_proxies"):
        read_trusted_proxies([text])


def test_a_server_believes_its_proxies_alone(tmp_path: Path) -> None:
    asked = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "metering.example", "X-Forwarded-For": "203.0.113.5"}
    with running_server(tmp_path) as server:
        (link,) = server.request("GET", "/", headers=asked).json()["versions"][0]["links"]
        assert link["href"] == f"{server.url}/v2.0/"
        answer = server.request("GET", "/v2.0/", headers={"Host": "a/b"})
        assert (answer.status, "Host: 'a/b' is no host name" in answer.data.decode()) == (400, True)
    environment = {"VENTURI_TRUSTED_PROXIES": "127.0.0.0/8, ::1"}
    with running_server(tmp_path, "--insecure-listen", environment=environment) as server:
        (link,) = server.request("GET", "/", headers=asked).json()["versions"][0]["links"]
        assert link["href"] == "https://metering.example/v2.0/"
        assert server.wait_for_log("request", path="/", client="203.0.113.5")


def test_a_token_that_a_proxy_took_over_plain_http_is_refused(tmp_path: Path) -> None:
    config = 'trusted_proxies = ["127.0.0.1"]\n'
    with running_server(tmp_path, "--auth", "token", config=config) as server:
        headers = {"X-Auth-Token": "venturi_x", "X-Forwarded-For": "203.0.113.5"}
        statuses = [
            server.request("GET", "/v1/caller", headers={**headers, "X-Forwarded-Proto": scheme}).status for scheme in ("http", "https")
        ]
        assert statuses == [403, 401]
