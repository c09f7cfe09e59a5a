"""Which transport a token may come over."""

import asyncio
from typing import Any, cast

import pytest
from litestar.types import HTTPScope

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import PlainHttpError, UnauthenticatedError
from venturi.interfaces.api.authentication import Authentication

CALLER = Principal(user_id="a", project_id="p")
CASES: dict[str, tuple[str, tuple[str, int] | None, bool, bool]] = {
    "plain from this host": ("http", ("127.0.0.1", 1), False, True),
    "plain from this host by IPv6": ("http", ("::1", 1), False, True),
    "plain from this host, mapped": ("http", ("::ffff:127.0.0.1", 1), False, True),
    "plain by a local socket": ("http", None, False, True),
    "plain from another": ("http", ("192.0.2.1", 1), False, False),
    "plain from another by IPv6": ("http", ("2001:db8::1", 1), False, False),
    "plain from another with a scope": ("http", ("fe80::1%eth0", 1), False, False),
    "plain from another, insisted on": ("http", ("192.0.2.1", 1), True, True),
    "TLS from another": ("https", ("192.0.2.1", 1), False, True),
}


def _identify(scheme: str, client: tuple[str, int] | None, headers: list[tuple[bytes, bytes]], *, allowed: bool) -> Principal | None:
    authentication = Authentication(challenge="", verify=lambda _: CALLER, allow_plain_http=allowed)
    scope: dict[str, Any] = {"type": "http", "path": "/v1/labels", "scheme": scheme, "client": client, "headers": headers}
    return asyncio.run(authentication.identify(cast("HTTPScope", scope)))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("header", [(b"x-auth-token", b"a"), (b"authorization", b"Bearer a")])
def test_a_token_comes_over_a_transport(name: str, header: tuple[bytes, bytes]) -> None:
    scheme, client, allowed, accepted = CASES[name]
    if accepted:
        assert _identify(scheme, client, [header], allowed=allowed) == CALLER
        return
    with pytest.raises(PlainHttpError, match="use TLS"):
        _identify(scheme, client, [header], allowed=allowed)


def test_no_token_is_no_matter_of_transport() -> None:
    with pytest.raises(UnauthenticatedError):
        _identify("http", ("192.0.2.1", 1), [], allowed=False)
