"""The ledger moves whole, with its numbers and chains, between databases of any kind, and is never mixed with another."""

import json
from pathlib import Path

import pytest
import zstandard

from tests.compat.make import MADE
from tests.store.ledger.test_proving import WEB, fill, hold
from tests.support.batches import SpoolOfTests, make_interval
from tests.support.databases import DATABASES, ON_POSTGRESQL, POSTGRESQL, SQLITE, DatabaseServers, open_store
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.ledger_dump import export_ledger, import_ledger
from venturi.adapters.store.maintenance.restoring import restore
from venturi.adapters.store.schema.ledger_tables import LEDGER_TABLES
from venturi.core.domain.errors import BatchConflictError, SchemaError, StoreError


def everything(ledger: LedgerOfTests) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in ledger.rows(table.select().order_by(*table.primary_key))] for table in LEDGER_TABLES]


def fill_and_keep_aside(ledger: LedgerOfTests) -> SpoolOfTests:
    fill(ledger)
    hold(ledger)
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


def with_schema(path: Path, folder: Path, schema: str, **changes: str) -> Path:
    """Give a copy of an export that says it is of another schema."""
    lines = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read().splitlines(keepends=True)
    head = {**json.loads(lines[0]), "schema": schema, **changes}
    copy = folder / "copy"
    copy.write_bytes(zstandard.ZstdCompressor().compress(json.dumps(head).encode() + b"\n" + b"".join(lines[1:])))
    return copy


@pytest.mark.parametrize("schema", ["0002", "0003"])
@pytest.mark.parametrize("target_kind", DATABASES)
def test_an_export_of_an_earlier_schema_is_upgraded(
    schema: str, target_kind: str, database_servers: DatabaseServers, tmp_path: Path
) -> None:
    """The export was made at schema 0003, whose ledger is that of 0002."""
    target = database_servers.bare_database(target_kind, tmp_path, "target")
    assert import_ledger(target, with_schema(MADE / "001" / "ledger.export", tmp_path, schema)) > 0
    assert prove_ledger(target).postings == 4


def test_an_export_of_a_schema_to_come_is_refused(tmp_path: Path) -> None:
    export = with_schema(MADE / "001" / "ledger.export", tmp_path, "9999")
    with pytest.raises(SchemaError, match="made by a newer one"):
        import_ledger(f"sqlite:///{tmp_path}/target.db", export)


def test_an_export_of_an_earlier_schema_that_holds_other_tables_is_refused(tmp_path: Path) -> None:
    export = with_schema(MADE / "001" / "store.dump", tmp_path, "0002", format="venturi ledger")
    with pytest.raises(StoreError, match="which a ledger does not have"):
        import_ledger(f"sqlite:///{tmp_path}/target.db", export)
