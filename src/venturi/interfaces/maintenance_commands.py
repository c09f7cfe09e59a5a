"""What the commands on the server's database say.

Owns their sentences and exit codes. What is done to a database is for the store.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.checking import check_database
from venturi.adapters.store.maintenance.restoring import ValidToken, restore
from venturi.adapters.store.maintenance.schema import read_schema, upgrade_database
from venturi.adapters.store.migrations.running import Carrying
from venturi.core.domain.errors import StoreError
from venturi.core.domain.interval import Nanoseconds, format_time
from venturi.core.domain.text import escape_unfit
from venturi.interfaces.render.progress import Unit, progress_of
from venturi.interfaces.render.quantities import count_of
from venturi.interfaces.render.resources.output import write_document
from venturi.interfaces.render.resources.view import View

_DONE = 0


class MaintenanceCommands:
    """Commands on the database at ``url`` that say on ``output`` what they did; each gives the exit code."""

    def __init__(self, url: str, output: TextIO) -> None:
        self._url = url
        self._output = output

    def upgrade(self) -> int:
        """Take the database to this version's schema."""
        with progress_of(Unit.ROWS) as progress:
            found, needed = upgrade_database(self._url, progress, self._say_carrying)
        self._say(f"the schema is {needed} already" if found == needed else f"upgraded from {found or 'no tables'} to {needed}")
        return _DONE

    def _say_carrying(self, carrying: Carrying) -> None:
        """Say beforehand what is carried over."""
        self._say(
            f"{carrying.rows:,} rows of the ledger get another form: that takes about {max(1, carrying.seconds // 60)} min, and"
            f" {max(1, carrying.octets // 10**6):,} MB beside what the database takes; it goes on where it was if it is interrupted"
        )

    def current(self, view: View) -> int:
        """Say which schema the database has."""
        found, needed = read_schema(self._url)
        if view.form != "table":
            write_document({"schema": found, "needed": needed}, view, self._output)
            return _DONE
        self._say(f"{found or 'no tables'} (this venturi needs {needed})")
        return _DONE

    def check(self, view: View) -> int:
        """Say what is wrong with the database, a line each."""
        with progress_of(Unit.WHOLE) as progress:
            progress.begin("checking", None)
            problems = check_database(self._url)
        if view.form != "table":
            write_document({"problems": problems}, view, self._output)
            return StoreError.exit_code if problems else _DONE
        for problem in problems or ["nothing is wrong"]:
            self._say(problem)
        return StoreError.exit_code if problems else _DONE

    def backup(self, path: Path) -> int:
        """Back the database up into a file."""
        with progress_of(Unit.PARTS) as progress:
            octets = back_up(self._url, path, progress)
        self._say(f"wrote {path}: {count_of(octets, 'octet')}")
        return _DONE

    def restore(self, path: Path, *, replace: bool, revoke_tokens_at: int | None = None) -> int:
        """Restore a backup into the database, and say which tokens are valid after it."""
        with progress_of(Unit.ROWS) as progress:
            restored = restore(self._url, path, replace=replace, revoke_tokens_at=revoke_tokens_at, progress=progress)
        self._say(f"restored {count_of(restored.rows, 'row')} of {path}")
        if revoke_tokens_at is not None:
            self._say(
                f"revoked the {count_of(restored.revoked, 'token')} of the backup that "
                f"{'was' if restored.revoked == 1 else 'were'} valid: make new ones by `venturi token create --database`"
            )
        elif restored.valid:
            self._warn_of_tokens(restored.valid)
        return _DONE

    def _warn_of_tokens(self, valid: Sequence[ValidToken]) -> None:
        """Say which tokens open something that may have been revoked since the backup was made."""
        again = [token for token in valid if token.revoked_at is not None]
        for token in again:
            at = format_time(Nanoseconds(token.revoked_at or 0))
            self._say(f"valid again: token {token.id} ('{escape_unfit(token.name)}'), which was revoked at {at}")
        since = f", {len(again)} of them revoked since in the database that was replaced" if again else ""
        verb = "is valid as it was" if len(valid) == 1 else "are valid as they were"
        self._say(f"{count_of(len(valid), 'token')} {verb} when the backup was made{since}")
        self._say("revoke those that must open nothing by `venturi token revoke ID`, or restore with --revoke-tokens")

    def _say(self, sentence: str) -> None:
        self._output.write(f"{sentence}\n")
