"""Backups of any database restore into any other, nothing is overwritten unasked, and damage is found."""

import io
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import zstandard
from sqlalchemy import text

from tests.support.control_values import OPERATOR, make_given_rule, make_label, make_point
from tests.support.databases import DATABASES, SQLITE, DatabaseServers, open_store, writing_connection
from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.checking import check_database
from venturi.adapters.store.maintenance.restoring import restore
from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Role
from venturi.core.domain.control.token import Token, TokenChange, TokenEvent
from venturi.core.domain.errors import SchemaError, StoreError, StoreInUseError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.point import ExporterPlace
from venturi.interfaces.maintenance_commands import MaintenanceCommands

TOKEN = Token(id="5f0c0a0e-0000-4000-8000-00000000000a", name="ci", project_id="p1", role=Role.READER, created_at=Nanoseconds(5))


def fill(url: str) -> None:
    label, gone = make_label("é😀 ", shared=True), make_label("gone")
    with open_store(url) as store:
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([label, gone])
            writer.rules.insert([make_given_rule(each.id, f"ingress remote 10.{n}.0.0/16") for each in (label, gone) for n in range(3)])
            writer.points.insert(make_point(ExporterPlace(address="192.0.2.1", outside_interfaces=(1, 2))))
            writer.tokens.insert(TOKEN, bytes(64))
            writer.leases.take("h1", "a1", Nanoseconds(0), Nanoseconds(10))
        with store.writing(OPERATOR) as writer:
            writer.labels.update(replace(label, description="later"))
            writer.labels.delete(gone.id)


def everything(store: Store) -> list[object]:
    with store.reading() as reader:
        revisions = reader.revisions.list(Listing())
        states = [(reader.revisions.labels_at(n), reader.revisions.points_at(n), reader.revisions.changes(n)) for n in range(4)]
        live = [reader.labels.list(Listing()), reader.rules.list(Listing()), reader.points.list(Listing())]
        return [revisions, states, live, reader.tokens.find(TOKEN.id), reader.tokens.secret_digest(TOKEN.id), reader.leases.find("h1")]


@pytest.mark.parametrize("target_kind", DATABASES)
def test_a_backup_restores_into_any_database(database: str, target_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> None:
    fill(database)
    target = database_servers.bare_database(target_kind, tmp_path, "target")
    with open_store(database) as store:
        before = everything(store)
        assert back_up(database, tmp_path / "backup") == (tmp_path / "backup").stat().st_size
    assert restore(target, tmp_path / "backup", replace=False).rows > 10
    with open_store(target) as store:
        assert everything(store) == before
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label()])
            assert writer.revision == 3
    assert check_database(target) == []


def test_a_database_that_holds_something_is_replaced_only_if_told(database: str, tmp_path: Path) -> None:
    fill(database)
    back_up(database, tmp_path / "backup")
    with open_store(database) as store:
        before = everything(store)
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label("extra")])
    with pytest.raises(StoreError, match="the database is not empty"):
        restore(database, tmp_path / "backup", replace=False)
    assert restore(database, tmp_path / "backup", replace=True).rows > 10
    with open_store(database) as store:
        assert everything(store) == before


def test_a_backup_overwrites_nothing(database: str, tmp_path: Path) -> None:
    fill(database)
    (tmp_path / "backup").write_text("kept")
    with pytest.raises(StoreError, match="exists already; a backup overwrites nothing"):
        back_up(database, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "kept"
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        back_up(database, tmp_path / "missing" / "backup")


def test_a_backup_is_for_its_owner_only(database: str, tmp_path: Path) -> None:
    fill(database)
    back_up(database, tmp_path / "backup")
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0


def _dump(*lines: object) -> bytes:
    return zstandard.ZstdCompressor().compress(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


HEAD = {"format": "venturi store", "version": 1, "schema": "0001"}
LABELS = {"line": "table", "table": "revisions", "columns": ["number", "at", "author", "project_id"]}
BAD_BACKUPS: dict[str, tuple[bytes, type[StoreError], str]] = {
    "nothing": (b"", StoreError, "is no backup of a venturi database"),
    "another file": (b"hello" * 100, StoreError, "is no backup of a venturi database"),
    "a cut file": (_dump(HEAD, LABELS)[:-9], StoreError, "is damaged or ends early"),
    "cut at a line": (_dump(HEAD, LABELS, [1, 1, "u", "p"]), StoreError, "is damaged or ends early"),
    "a lost row": (_dump(HEAD, LABELS, [1, 1, "u", "p"], {"line": "end", "rows": 2}), StoreError, "is damaged or ends early"),
    "rows of no table": (_dump(HEAD, [1, 1, "u", "p"], {"line": "end", "rows": 1}), StoreError, "is damaged or ends early"),
    "another format": (_dump(HEAD | {"format": "other"}), StoreError, "is other 1, which is not read here"),
    "a newer format": (_dump(HEAD | {"version": 2}), StoreError, "is venturi store 2, which is not read here"),
    "a newer schema": (_dump(HEAD | {"schema": "9999"}), SchemaError, "it was made by a newer one"),
    "an unknown table": (
        _dump(HEAD, LABELS | {"table": "users"}, [1, 1, "u", "p"], {"line": "end", "rows": 1}),
        StoreError,
        "holds a table users, which its schema does not have",
    ),
    "a row too long": (_dump(HEAD, LABELS, [1, 1, "u", "p", 5], {"line": "end", "rows": 1}), StoreError, "is damaged or ends early"),
}


@pytest.mark.parametrize("case", BAD_BACKUPS)
def test_a_file_that_is_no_whole_backup_is_refused(case: str, tmp_path: Path) -> None:
    content, kind, said = BAD_BACKUPS[case]
    (tmp_path / "backup").write_bytes(content)
    url = f"sqlite:///{tmp_path}/venturi.db"
    fill(url)
    with open_store(url) as store:
        before = everything(store)
    with pytest.raises(kind, match=said):
        restore(url, tmp_path / "backup", replace=True)
    with open_store(url) as store:
        assert everything(store) == before


def test_a_backup_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        restore(f"sqlite:///{tmp_path}/venturi.db", tmp_path / "missing", replace=False)


WIDEN = (
    "UPDATE rules SET remote_ip_prefix = '10.0.0.0/8', remote_first = '40000000000000000000000000a000000', "
    "remote_last = '40000000000000000000000000affffff' WHERE remote_ip_prefix = '10.0.0.0/16'"
)
DAMAGES = {
    "a lost revision": ("DELETE FROM revisions WHERE number = 1", "the revisions have gaps: the latest is 2, and there are 1, up to 2"),
    "a counter that is behind": ("UPDATE revision_counter SET number = 1", "the revisions have gaps"),
    "a state to come": ("UPDATE labels SET valid_from = 9", "labels: .* begins after the latest revision"),
    "a history to come": ("UPDATE labels_history SET valid_to = 9", "labels_history: .* did not end as it says"),
    "a state that never was": ("UPDATE rules_history SET valid_from = valid_to", "rules_history: .* did not end as it says"),
    "two states at once": ("UPDATE labels SET valid_from = 1", "labels: .* has a history after it began"),
    "a range of another prefix": ("UPDATE rules SET remote_last = remote_first", "rules: the columns of .* contradict each other"),
    "a range that is missing": (
        "UPDATE rules SET remote_first = NULL, remote_last = NULL",
        "rules: the columns of .* contradict each other",
    ),
    "an overlap": (
        WIDEN,
        "rules: the remote_ip_prefix of .* overlaps another",
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_damage_is_found(database: str, case: str) -> None:
    statement, said = DAMAGES[case]
    fill(database)
    assert check_database(database) == []
    with writing_connection(database) as connection:
        assert connection.execute(text(statement)).rowcount > 0
    problems = check_database(database)
    assert any(re.search(said, problem) for problem in problems), problems


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "venturi.db"
    fill(f"{SQLITE}:///{path}")
    with writing_connection(f"{SQLITE}:///{path}") as connection:
        page = connection.execute(text("SELECT rootpage FROM sqlite_master WHERE name = 'ix_labels_name'")).scalar_one()
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
    with path.open("r+b") as file:
        file.seek((page - 1) * size + 8)
        file.write(os.urandom(8))
    try:
        problems = check_database(f"{SQLITE}:///{path}")
    except StoreError as error:
        problems = [str(error)]
    assert problems != []


def test_a_database_that_a_server_uses_is_not_restored(database: str, tmp_path: Path) -> None:
    fill(database)
    back_up(database, tmp_path / "backup")
    with open_store(database) as store:
        before = everything(store)
        with pytest.raises(StoreInUseError):
            restore(database, tmp_path / "backup", replace=True)
        assert everything(store) == before
    assert restore(database, tmp_path / "backup", replace=True).rows > 10


def test_tokens_that_were_revoked_since_the_backup_are_told(database: str, tmp_path: Path) -> None:
    fill(database)
    back_up(database, tmp_path / "backup")
    with open_store(database) as store, store.writing(OPERATOR) as writer:
        writer.tokens.revoke(TOKEN.id, Nanoseconds(77))
    told = io.StringIO()
    commands = MaintenanceCommands(database, told)
    assert commands.restore(tmp_path / "backup", replace=True) == 0
    assert f"valid again: token {TOKEN.id} ('ci'), which was revoked at 1970-01-01T00:00:00" in told.getvalue()
    assert "1 token is valid as it was when the backup was made, 1 of them revoked since" in told.getvalue()
    assert revocation(database) is None
    assert commands.restore(tmp_path / "backup", replace=True, revoke_tokens_at=99) == 0
    assert "revoked the 1 token of the backup that was valid" in told.getvalue()
    assert revocation(database) == 99


def test_what_a_restore_does_to_tokens_is_kept(database: str, tmp_path: Path) -> None:
    fill(database)
    back_up(database, tmp_path / "backup")
    with open_store(database) as store, store.writing(OPERATOR) as writer:
        writer.tokens.revoke(TOKEN.id, Nanoseconds(77))
    restore(database, tmp_path / "backup", replace=True)
    again = changes_of_tokens(database)[-1]
    assert (again.change, again.token_id, again.name, again.author) == (TokenEvent.RESTORED, TOKEN.id, "ci", "local")
    restore(database, tmp_path / "backup", replace=True, revoke_tokens_at=99)
    revoked = changes_of_tokens(database)[-1]
    assert (revoked.change, revoked.token_id, revoked.at, revoked.author) == (TokenEvent.REVOKED, TOKEN.id, 99, "local")


def changes_of_tokens(url: str) -> list[TokenChange]:
    with open_store(url) as store, store.reading() as reader:
        return reader.token_changes.list(Listing())


def revocation(url: str) -> int | None:
    with open_store(url) as store, store.reading() as reader:
        token = reader.tokens.find(TOKEN.id)
    assert token is not None
    return token.revoked_at


@pytest.mark.parametrize("use", [fill, check_database], ids=["a store", "a command"])
def test_a_database_that_everybody_may_write_is_refused(use: Callable[[str], object], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/venturi.db"
    fill(url)
    (tmp_path / "venturi.db").chmod(0o666)
    with pytest.raises(StoreError, match=r"every user of this machine may write the database .*chmod o-w"):
        use(url)
    (tmp_path / "venturi.db").chmod(0o660)
    assert check_database(url) == []
