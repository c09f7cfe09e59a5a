"""The ledger moves whole, with its numbers and chains, between databases of any kind, and is never mixed with another."""

from pathlib import Path

import pytest

from tests.store.ledger.test_proving import WEB, fill
from tests.support.batches import SpoolOfTests, make_interval
from tests.support.databases import DATABASES, ON_POSTGRESQL, POSTGRESQL, SQLITE, DatabaseServers, open_store
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.maintenance import ledger_dump
from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.ledger_dump import export_ledger, import_ledger
from venturi.adapters.store.maintenance.restoring import restore
from venturi.adapters.store.schema.ledger_tables import LEDGER_LONG_INTERVALS, LEDGER_TABLES
from venturi.core.domain.errors import BatchConflictError, StoreError


def everything(ledger: LedgerOfTests) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in ledger.rows(table.select().order_by(*table.primary_key))] for table in LEDGER_TABLES]


def fill_and_keep_aside(ledger: LedgerOfTests) -> SpoolOfTests:
    fill(ledger)
    spool = SpoolOfTests()
    forged = spool.fork().seal(make_interval(1))
    ledger.post(spool.seal(make_interval(0, usage=WEB)))
    with pytest.raises(BatchConflictError):
        ledger.post(forged)
    return spool


@pytest.mark.parametrize("target_kind", DATABASES)
def test_an_export_is_imported_into_any_database(
    ledger: LedgerOfTests, database: str, target_kind: str, database_servers: DatabaseServers, tmp_path: Path
) -> None:
    spool = fill_and_keep_aside(ledger)
    target = database_servers.bare_database(target_kind, tmp_path, "target")
    assert import_ledger(target, tmp_path / "ledger") if export_ledger(database, tmp_path / "ledger") else False
    with open_store(target) as store:
        moved = LedgerOfTests(store)
        assert everything(moved) == everything(ledger)
        again = ledger.post(spool.sealed[0])
        assert moved.post(spool.sealed[0]) == again
        assert moved.post(spool.seal(make_interval(1, usage=WEB))).posting == again.posting + 1
    assert prove_ledger(target).postings == again.posting + 1
    with pytest.raises(StoreError, match="a ledger that is not empty"):
        import_ledger(target, tmp_path / "ledger")


@pytest.mark.parametrize("target_kind", [SQLITE, pytest.param(POSTGRESQL, marks=ON_POSTGRESQL)])
def test_a_backup_holds_the_ledger(
    ledger: LedgerOfTests, database: str, target_kind: str, database_servers: DatabaseServers, tmp_path: Path
) -> None:
    fill_and_keep_aside(ledger)
    target = database_servers.bare_database(target_kind, tmp_path, "target")
    back_up(database, tmp_path / "backup")
    for replacing in (False, True):
        restore(target, tmp_path / "backup", replace=replacing)
        with open_store(target) as store:
            assert everything(LedgerOfTests(store)) == everything(ledger)
    prove_ledger(target)


def test_a_backup_of_the_store_is_no_export(sqlite_ledger: LedgerOfTests, tmp_path: Path) -> None:
    fill(sqlite_ledger)
    (tmp_path / "other").write_bytes(b"no dump")
    with pytest.raises(StoreError, match="is damaged or ends early"):
        import_ledger(f"sqlite:///{tmp_path}/target.db", tmp_path / "other")
    with pytest.raises(StoreError, match="cannot be read"):
        import_ledger(f"sqlite:///{tmp_path}/target.db", tmp_path / "missing")


def test_an_export_of_an_earlier_schema_is_imported(sqlite_ledger: LedgerOfTests, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_and_keep_aside(sqlite_ledger)
    earlier = [table for table in LEDGER_TABLES if table is not LEDGER_LONG_INTERVALS]
    with monkeypatch.context() as patched:
        patched.setattr(ledger_dump, "LEDGER_TABLES", earlier)
        patched.setattr(ledger_dump, "head_schema", lambda: "0003")
        export_ledger(f"sqlite:///{tmp_path}/venturi.db", tmp_path / "ledger")
    import_ledger(f"sqlite:///{tmp_path}/target.db", tmp_path / "ledger")
    with open_store(f"sqlite:///{tmp_path}/target.db") as store:
        moved = everything(LedgerOfTests(store))
    kept = [rows for table, rows in zip(LEDGER_TABLES, everything(sqlite_ledger), strict=True) if table in earlier]
    assert [rows for table, rows in zip(LEDGER_TABLES, moved, strict=True) if table in earlier] == kept
