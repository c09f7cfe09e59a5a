"""What the commands on the server's database say.

Owns their sentences and exit codes. What is done to a database is for the store.
"""

from pathlib import Path
from typing import TextIO

from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.checking import check_database
from venturi.adapters.store.maintenance.restoring import restore
from venturi.adapters.store.maintenance.schema import read_schema, upgrade_database
from venturi.core.domain.errors import StoreError

_DONE = 0


class MaintenanceCommands:
    """Commands on the database at ``url`` that say on ``output`` what they did; each gives the exit code."""

    def __init__(self, url: str, output: TextIO) -> None:
        self._url = url
        self._output = output

    def upgrade(self) -> int:
        """Take the database to this version's schema."""
        found, needed = upgrade_database(self._url)
        self._say(f"the schema is {needed} already" if found == needed else f"upgraded from {found or 'no tables'} to {needed}")
        return _DONE

    def current(self) -> int:
        """Say which schema the database has."""
        found, needed = read_schema(self._url)
        self._say(f"{found or 'no tables'} (this venturi needs {needed})")
        return _DONE

    def check(self) -> int:
        """Say what is wrong with the database, a line each."""
        problems = check_database(self._url)
        for problem in problems or ["nothing is wrong"]:
            self._say(problem)
        return StoreError.exit_code if problems else _DONE

    def backup(self, path: Path) -> int:
        """Back the database up into a file."""
        octets = back_up(self._url, path)
        self._say(f"wrote {path}: {octets} octets")
        return _DONE

    def restore(self, path: Path, *, replace: bool) -> int:
        """Restore a backup into the database."""
        rows = restore(self._url, path, replace=replace)
        self._say(f"restored {rows} rows of {path}")
        return _DONE

    def _say(self, sentence: str) -> None:
        self._output.write(f"{sentence}\n")
