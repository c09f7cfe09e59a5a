"""What takes its time tells how far it has come: backup, restore, export, import and the proof of a ledger."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.support.batches import SpoolOfTests, make_interval
from tests.support.databases import open_store
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.ledger_dump import export_ledger, import_ledger
from venturi.adapters.store.maintenance.restoring import restore


@dataclass
class Heard:
    """Hears how far something comes: the parts with their lengths, and the last that each was told to have done."""

    parts: dict[str, int | None] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    def begin(self, name: str, whole: int | None) -> None:
        self.parts[name] = whole
        self.name = name

    def update(self, done: int) -> None:
        assert done >= self.done.get(self.name, 0)
        self.done[self.name] = done


def test_each_tells_how_much_is_done(database: str, tmp_path: Path) -> None:
    spool = SpoolOfTests()
    with open_store(database) as store:
        ledger = LedgerOfTests(store)
        ledger.post(*(spool.seal(make_interval(minute, usage=[(0, 0, 10, 1000)])) for minute in range(3)))
        ledger.roll()
    heard = Heard()
    backup, exported = tmp_path / "backup", tmp_path / "exported"
    prove_ledger(database, progress=heard)
    assert (heard.parts["proving seals"], heard.done["proving seals"]) == (3, 3)
    assert heard.parts["proving roll-ups"] == heard.done["proving roll-ups"] + 1
    back_up(database, backup, heard)
    assert heard.done["backing up"] == heard.parts["backing up"] or heard.parts["backing up"] is None
    assert heard.done["backing up"] > 3
    rows = export_ledger(database, exported, heard)
    assert heard.done["exporting"] == rows
    assert import_ledger(f"sqlite:///{tmp_path}/imported.db", exported, heard) == heard.done["importing"] == rows
    restored = restore(f"sqlite:///{tmp_path}/restored.db", backup, replace=False, progress=heard)
    assert heard.done["restoring"] == restored.rows
