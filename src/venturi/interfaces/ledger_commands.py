"""What the commands on the ledger say.

Owns their sentences and exit codes. What is done is for the store.
"""

from pathlib import Path
from typing import TextIO

from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.ledger.spools import Spool, read_spools
from venturi.adapters.store.maintenance.ledger_dump import export_ledger, import_ledger
from venturi.adapters.store.maintenance.opening import open_for_reading

_DONE = 0


class LedgerCommands:
    """Commands on the ledger in the database at ``url`` that say on ``output`` what they did; each gives the exit code."""

    def __init__(self, url: str, output: TextIO) -> None:
        self._url = url
        self._output = output

    def verify(self) -> int:
        """Say that the ledger is as it was posted; raises ``LedgerError`` if it is not."""
        proof = prove_ledger(self._url)
        counted = f"{proof.postings} postings with {proof.entries} entries, {proof.spools} spools, {proof.bins} rows of roll-ups"
        self._say(f"all is as it was posted:\n{counted}")
        return _DONE

    def export(self, path: Path) -> int:
        """Write the ledger into a file."""
        rows = export_ledger(self._url, path)
        self._say(f"wrote {path}: {rows} rows")
        return _DONE

    def import_(self, path: Path) -> int:
        """Put the ledger of a file into the database."""
        rows = import_ledger(self._url, path)
        self._say(f"imported {rows} rows of {path}")
        return _DONE

    def spools(self) -> int:
        """Say of each spool how far it is posted and what is missing, a line each."""
        with open_for_reading(self._url) as connection:
            for spool, conflicts in read_spools(connection):
                self._say(_tell(spool, conflicts))
        return _DONE

    def _say(self, sentence: str) -> None:
        self._output.write(f"{sentence}\n")


def _tell(spool: Spool, conflicts: int) -> str:
    ranges = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spool.missing)
    missing = f"missing {ranges}" if ranges else "nothing missing"
    kept = f"; {conflicts} kept aside" if conflicts else ""
    return f"{spool.spool_id} of {spool.agent_id} on {spool.host}: posted up to {spool.highest}, {missing}{kept}"
