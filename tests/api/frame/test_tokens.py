"""Tokens: what is kept of them, when they open, and that their use is noted now and then."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.threads import unexpected_supervisor
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import ForbiddenError, InvalidTokenRequestError, TokenNotFoundError, UnauthenticatedError, VenturiError
from venturi.core.domain.interval import Nanoseconds
from venturi.services.control.last_use import NOTED_EVERY, LastUse
from venturi.services.control.tokens import NewToken, TokenControl

ADMIN = Principal(user_id="root", project_id="p", roles=IMPLIED_ROLES[Role.ADMIN])
START = Nanoseconds(10**18)
NOBODY = "00000000-0000-4000-8000-000000000000"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> Nanoseconds:
        return self.now

    def advance(self, span: int) -> None:
        self.now = Nanoseconds(self.now + span)


class Kept:
    """Tokens in an embedded database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = Clock()
        self.last_use = LastUse(store)
        self.control = TokenControl(store, self.clock, self.last_use)

    def last_used(self, token_id: str) -> Nanoseconds | None:
        return self.control.find(ADMIN, token_id).last_used_at

    def wait_for_use(self, token_id: str, at: Nanoseconds) -> None:
        deadline = time.monotonic() + 10
        while self.last_used(token_id) != at:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Tokens in a database of their own."""
    store = Store(StoreConfig(f"sqlite:///{tmp_path / 'venturi.db'}"))
    store.start()
    tokens = Kept(store)
    tokens.last_use.start(unexpected_supervisor())
    yield tokens
    tokens.last_use.stop()
    store.stop()


def test_a_secret_opens_as_the_caller_it_was_made_for(kept: Kept) -> None:
    token, secret = kept.control.create(ADMIN, NewToken(role=Role.MANAGER, project_id="blue", name="ci"))
    caller = kept.control.authenticate(secret)
    assert (caller.user_id, caller.project_id, caller.roles) == ("ci", "blue", IMPLIED_ROLES[Role.MANAGER])
    assert token.created_at == START


def test_an_agents_token_is_bound(kept: Kept) -> None:
    _, secret = kept.control.create(ADMIN, NewToken(role=Role.AGENT, agent_id="a1", host="h1"))
    caller = kept.control.authenticate(secret)
    assert (caller.agent_id, caller.host, caller.project_id) == ("a1", "h1", "p")


def test_secrets_are_long_and_differ(kept: Kept) -> None:
    secrets = {kept.control.create(ADMIN, NewToken(role=Role.NONE))[1] for _ in range(50)}
    assert len(secrets) == 50
    assert {len(secret.rpartition("_")[2]) * 4 for secret in secrets} == {256}


def test_the_database_holds_no_secret(kept: Kept, tmp_path: Path) -> None:
    _, secret = kept.control.create(ADMIN, NewToken(role=Role.NONE))
    kept.store.stop()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in written
    assert bytes.fromhex(secret.rpartition("_")[2]) not in written
    kept.store.start()


def test_revoking_works_at_once(kept: Kept) -> None:
    token, secret = kept.control.create(ADMIN, NewToken(role=Role.ADMIN))
    kept.control.revoke(ADMIN, token.id)
    with pytest.raises(UnauthenticatedError):
        kept.control.authenticate(secret)
    kept.clock.advance(5)
    kept.control.revoke(ADMIN, token.id)
    assert kept.control.find(ADMIN, token.id).revoked_at == START


def test_a_token_opens_up_to_its_expiry(kept: Kept) -> None:
    _, secret = kept.control.create(ADMIN, NewToken(role=Role.ADMIN, expires_at=Nanoseconds(START + 10)))
    kept.clock.advance(9)
    assert kept.control.authenticate(secret).is_admin
    kept.clock.advance(1)
    with pytest.raises(UnauthenticatedError):
        kept.control.authenticate(secret)


def test_a_use_is_noted_once_a_minute(kept: Kept) -> None:
    token, secret = kept.control.create(ADMIN, NewToken(role=Role.ADMIN))
    assert kept.last_used(token.id) is None
    kept.control.authenticate(secret)
    kept.wait_for_use(token.id, START)
    kept.clock.advance(NOTED_EVERY - 1)
    kept.control.authenticate(secret)
    kept.clock.advance(1)
    later = kept.clock.now
    kept.control.authenticate(secret)
    kept.wait_for_use(token.id, later)


def test_a_use_is_noted_at_the_end_too(kept: Kept) -> None:
    token, secret = kept.control.create(ADMIN, NewToken(role=Role.ADMIN))
    kept.control.authenticate(secret)
    kept.last_use.stop()
    assert kept.last_used(token.id) == START


def test_uses_make_no_revision(kept: Kept) -> None:
    before = kept.store.latest_revision()
    token, secret = kept.control.create(ADMIN, NewToken(role=Role.ADMIN))
    kept.control.authenticate(secret)
    kept.wait_for_use(token.id, START)
    assert kept.store.latest_revision() == before


REFUSED: dict[str, tuple[NewToken, type[VenturiError]]] = {
    "an expiry in the past": (NewToken(role=Role.ADMIN, expires_at=START), InvalidTokenRequestError),
    "an agent of no host": (NewToken(role=Role.AGENT, agent_id="a"), InvalidTokenRequestError),
    "a reader with a host": (NewToken(role=Role.READER, host="h"), InvalidTokenRequestError),
    "no project": (NewToken(role=Role.ADMIN, project_id=""), InvalidTokenRequestError),
    "a long name": (NewToken(role=Role.ADMIN, name="a" * 256), InvalidTokenRequestError),
    "a name of two lines": (NewToken(role=Role.ADMIN, name="a\nb"), InvalidTokenRequestError),
    "a project with blanks around": (NewToken(role=Role.ADMIN, project_id=" p"), InvalidTokenRequestError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused(kept: Kept, name: str) -> None:
    asked, error = REFUSED[name]
    with pytest.raises(error):
        kept.control.create(ADMIN, asked)
    assert kept.control.list(ADMIN, Listing()) == []


def test_on_the_server_itself_a_project_is_named(kept: Kept) -> None:
    with pytest.raises(InvalidTokenRequestError, match="name one"):
        kept.control.create(None, NewToken(role=Role.ADMIN))
    assert kept.control.create(None, NewToken(role=Role.ADMIN, project_id="p"))[0].project_id == "p"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_tokens_are_for_administrators(kept: Kept, role: Role) -> None:
    caller = replace(ADMIN, roles=IMPLIED_ROLES[role])
    for ask in (
        lambda: kept.control.create(caller, NewToken(role=Role.NONE)),
        lambda: kept.control.list(caller, Listing()),
        lambda: kept.control.find(caller, NOBODY),
        lambda: kept.control.revoke(caller, NOBODY),
    ):
        with pytest.raises(ForbiddenError):
            ask()


def test_a_token_that_is_none_is_named(kept: Kept) -> None:
    with pytest.raises(TokenNotFoundError, match=NOBODY):
        kept.control.find(ADMIN, NOBODY)
    with pytest.raises(TokenNotFoundError):
        kept.control.revoke(ADMIN, NOBODY)
