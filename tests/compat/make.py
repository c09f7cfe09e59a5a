"""Makes the files that later versions must be able to read: ``python -m tests.compat.make NAME``, into a new folder of ``made``.

Run by whoever changes a form, before and after (CONTRIBUTING.md). What is in a folder that is committed never changes.

- ``batch-N.zst``: batches as they travel
- ``spool.db.zst``: a spool with a generation, its last totals, a batch that was acknowledged, one that was not, and an interval that waits
- ``ledger.db.zst``: a database in SQLite, since 002 with an interval that is held; ``store.dump`` and ``ledger.export``: the same as a
  dump, and its ledger alone
- ``reports.json.zst``: what a server told of that database
"""

import json
import sys
import tempfile
from pathlib import Path

import zstandard

from tests.compat.contents import BELIEVED, SPAN, fill_server, held_batch, post_batch, sent_batches
from tests.spool.building import CLASSIFIER, open_spool, recording_of, spooled_generation
from tests.support.server import running_server
from tests.support.versions import ask_reports
from venturi.adapters.store.maintenance.backup import back_up, read_tables
from venturi.adapters.store.maintenance.dump_format import write_dump
from venturi.adapters.store.maintenance.ledger_dump import export_ledger
from venturi.adapters.store.maintenance.opening import open_for_reading
from venturi.adapters.store.migrations.running import head_schema

MADE = Path(__file__).parent / "made"
"""Where the files are."""

GENERATION = f"{1:032x}"


def make_spool(path: Path) -> None:
    """Make a spool of three readings: one acknowledged, one sealed, one that waits."""
    spool = open_spool(path)
    spool.enter(spooled_generation(spool), CLASSIFIER)
    for reading in (1, 2, 3):
        spool.record(recording_of(reading, GENERATION))
        if reading < 3:
            sealed = spool.seal(recording_of(reading, GENERATION).moment.wall)
            assert sealed is not None
            if reading == 1:
                spool.acknowledge(sealed.sequence, sealed.sequence)
    spool.stop()


def make_database(folder: Path, made: Path) -> None:
    """Make a database with the content of a server, and every copy of it that there is."""
    with running_server(folder, environment=BELIEVED) as server:
        fill_server(server)
        post_batch(server, held_batch())
        reports = ask_reports(server, *SPAN)
    (folder / "reports.json").write_text(json.dumps(reports, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    compress(folder / "reports.json", made)
    back_up(server.database, folder / "ledger.db")
    compress(folder / "ledger.db", made)
    export_ledger(server.database, made / "ledger.export")
    with open_for_reading(server.database) as connection, (made / "store.dump").open("wb") as stream:
        write_dump(stream, head_schema(), read_tables(connection))


def compress(path: Path, made: Path) -> None:
    """Put a file into the folder, compressed."""
    (made / f"{path.name}.zst").write_bytes(zstandard.ZstdCompressor(level=19).compress(path.read_bytes()))


def main(name: str) -> None:
    """Make all of them."""
    made = MADE / name
    made.mkdir()
    for number, body in enumerate(sent_batches(), 1):
        (made / f"batch-{number}.zst").write_bytes(body)
    with tempfile.TemporaryDirectory() as folder:
        make_spool(Path(folder, "spool.db"))
        compress(Path(folder, "spool.db"), made)
        make_database(Path(folder), made)
    for path in made.iterdir():
        path.chmod(0o644)


if __name__ == "__main__":
    main(sys.argv[1])
