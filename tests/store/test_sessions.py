"""Sessions in the store: found by the digest of their key alone, bounded, and ended by a restore."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.control_values import OPERATOR, new_id
from tests.support.databases import open_store
from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.restoring import restore
from venturi.adapters.store.store import Store
from venturi.adapters.store.tables.sessions import MOST_SESSIONS
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.control.session import Session
from venturi.core.domain.errors import TooManySignInsError, UnauthenticatedError
from venturi.core.domain.interval import Nanoseconds
from venturi.services.control.sessions import FAILURE_SPAN, FOREIGN_SESSION, MOST_FAILURES, SessionControl

READER = Principal(user_id="a reader", project_id="shop", roles=IMPLIED_ROLES[Role.READER], token_id=new_id())


def make_session(principal: Principal = READER, since: int = 1, until: int = 1_000) -> Session:
    return Session(principal=principal, created_at=Nanoseconds(since), expires_at=Nanoseconds(until))


def test_a_session_comes_out_as_it_went_in(store: Store) -> None:
    foreign = make_session(replace(READER, token_id=None, roles=IMPLIED_ROLES[Role.ADMIN]))
    with store.writing(OPERATOR) as writer:
        writer.sessions.insert("a" * 64, make_session())
        writer.sessions.insert("b" * 64, foreign)
    with store.reading() as reader:
        assert reader.sessions.find("a" * 64) == make_session()
        assert reader.sessions.find("b" * 64) == foreign
        found = reader.sessions.find("a" * 64)
        assert found is not None
        assert found.principal.token_id == READER.token_id
        assert reader.sessions.find("c" * 64) is None


def test_sessions_end_alone_or_together(store: Store) -> None:
    other = make_session(replace(READER, project_id="lab"))
    with store.writing(OPERATOR) as writer:
        for number in range(3):
            writer.sessions.insert(f"{number:064}", make_session())
        writer.sessions.insert("d" * 64, other)
        writer.sessions.delete(f"{0:064}")
        assert writer.sessions.count() == 3
        writer.sessions.delete_of(READER)
        assert writer.sessions.count() == 1
        assert writer.sessions.find("d" * 64) == other


def test_of_too_many_sessions_the_oldest_goes(store: Store) -> None:
    with store.writing(OPERATOR) as writer:
        for number in range(MOST_SESSIONS + 2):
            writer.sessions.insert(f"{number:064}", make_session(since=number))
        assert writer.sessions.count() == MOST_SESSIONS
        assert writer.sessions.find(f"{1:064}") is None
        assert writer.sessions.find(f"{2:064}") is not None


def test_sessions_that_are_over_go(store: Store) -> None:
    with store.writing(OPERATOR) as writer:
        writer.sessions.insert("a" * 64, make_session(until=50))
        writer.sessions.insert("b" * 64, make_session(replace(READER, project_id="lab"), since=50, until=90))
        assert writer.sessions.find("a" * 64) is None
        assert writer.sessions.count() == 1


def test_a_session_by_a_token_of_keystone_is_short_since_nobody_tells_of_its_end(store: Store) -> None:
    now = [Nanoseconds(10)]
    sessions = SessionControl(store, lambda: now[0], lambda _secret: replace(READER, token_id=None))
    key, session = sessions.open("a token of Keystone", "192.0.2.1")
    assert session.expires_at - session.created_at == FOREIGN_SESSION
    assert sessions.find(key) == session.principal
    now[0] = session.expires_at
    with pytest.raises(UnauthenticatedError, match="session has ended"):
        sessions.find(key)


def test_failures_of_one_client_do_not_shut_out_another(store: Store) -> None:
    now = [Nanoseconds(0)]

    def refuse(_secret: str) -> Principal:
        message = "there is no such token"
        raise UnauthenticatedError(message)

    sessions = SessionControl(store, lambda: now[0], refuse)
    for _ in range(MOST_FAILURES):
        with pytest.raises(UnauthenticatedError):
            sessions.open("wrong", "192.0.2.1")
    with pytest.raises(TooManySignInsError, match="wait for a minute"):
        sessions.open("wrong", "192.0.2.1")
    with pytest.raises(UnauthenticatedError):
        sessions.open("wrong", "192.0.2.2")
    now[0] = Nanoseconds(FAILURE_SPAN + 1)
    with pytest.raises(UnauthenticatedError):
        sessions.open("wrong", "192.0.2.1")


def test_a_restore_ends_all_sessions(database: str, tmp_path: Path) -> None:
    with open_store(database) as store, store.writing(OPERATOR) as writer:
        writer.sessions.insert("a" * 64, make_session())
    back_up(database, tmp_path / "backup")
    restore(database, tmp_path / "backup", replace=True)
    with open_store(database) as store, store.reading() as reader:
        assert reader.sessions.count() == 0
