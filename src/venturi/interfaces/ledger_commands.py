"""What the commands on the ledger say.

Owns their sentences and exit codes. What is done is for the store.
"""

from functools import partial
from pathlib import Path
from typing import TextIO

from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.ledger.rolling.rebuilding import rebuild_roll_ups
from venturi.adapters.store.ledger.spools import read_spools
from venturi.adapters.store.maintenance.ledger_dump import export_ledger, import_ledger
from venturi.adapters.store.maintenance.opening import open_for_reading
from venturi.core.domain.interval import format_time
from venturi.core.ledger.bins import DAY
from venturi.interfaces.render.progress import Unit, progress_of
from venturi.interfaces.render.quantities import count_of
from venturi.interfaces.render.resources.output import write_document, write_list
from venturi.interfaces.render.resources.selection import choose_columns, sort_rows
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.standard_output import write_paged

_DONE = 0
_SPOOL_COLUMNS = ("agent_id", "host", "spool_id", "posted_up_to", "missing", "kept_aside")


class LedgerCommands:
    """Commands on the ledger in the database at ``url`` that say on ``output`` what they did; each gives the exit code."""

    def __init__(self, url: str, output: TextIO) -> None:
        self._url = url
        self._output = output

    def verify(self, view: View, since: int = 0) -> int:
        """Say that the ledger, or what came after a posting, is as it was posted; raises ``LedgerError`` if it is not."""
        with progress_of(Unit.PARTS) as progress:
            proof = prove_ledger(self._url, since, progress)
        if view.form != "table":
            counts = {
                "postings": proof.postings,
                "entries": proof.entries,
                "spools": proof.spools,
                "roll_up_rows": proof.bins,
                "latest_posting": proof.latest,
            }
            write_document({"proved": True, **counts}, view, self._output)
            return _DONE
        posted = f"{count_of(proof.postings, 'posting')} with {count_of(proof.entries, 'entry', 'entries')}"
        counted = f"{posted}, {count_of(proof.spools, 'spool')}, {count_of(proof.bins, 'row')} of roll-ups"
        self._say("all is as it was posted:", counted, f"The latest posting is {proof.latest}.")
        return _DONE

    def rebuild(self) -> int:
        """Make the roll-ups anew, and say after each day how far that is."""
        reached = None
        for rebuilt in rebuild_roll_ups(self._url):
            reached = rebuilt.reached
            if reached % DAY == 0 and reached < rebuilt.end:
                self._say(f"made anew up to {format_time(reached)}, of {format_time(rebuilt.end)}")
        self._say("all roll-ups are made anew" if reached is not None else "there is no entry, so there is no roll-up")
        return _DONE

    def export(self, path: Path) -> int:
        """Write the ledger into a file."""
        with progress_of(Unit.ROWS) as progress:
            rows = export_ledger(self._url, path, progress)
        self._say(f"wrote {path}: {count_of(rows, 'row')}")
        return _DONE

    def import_(self, path: Path) -> int:
        """Put the ledger of a file into the database."""
        with progress_of(Unit.ROWS) as progress:
            rows = import_ledger(self._url, path, progress)
        self._say(f"imported {count_of(rows, 'row')} of {path}")
        return _DONE

    def spools(self, view: View) -> int:
        """Say of each spool how far it is posted and what is missing."""
        columns = choose_columns(view.columns, _SPOOL_COLUMNS, _SPOOL_COLUMNS)
        order = choose_columns(view.sort_columns, _SPOOL_COLUMNS, ("agent_id", "spool_id"))
        with open_for_reading(self._url) as connection:
            rows = [
                {
                    "agent_id": spool.agent_id,
                    "host": spool.host,
                    "spool_id": spool.spool_id,
                    "posted_up_to": spool.highest,
                    "missing": ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spool.missing),
                    "kept_aside": conflicts,
                }
                for spool, conflicts in read_spools(connection)
            ]
        shown = View(form=view.form, raw=view.raw, coloured=view.coloured)
        write_paged(partial(write_list, sort_rows(rows, order), columns, shown))
        return _DONE

    def _say(self, *sentences: str) -> None:
        self._output.write("".join(f"{sentence}\n" for sentence in sentences))
        self._output.flush()
