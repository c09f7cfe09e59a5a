"""What ``venturi apply`` does and says: the difference, the question before labels go, and what was done."""

from collections.abc import Callable
from functools import partial
from typing import TextIO

from venturi.core.domain.control.revision import ChangeKind
from venturi.core.rules.document import RulesDocument
from venturi.interfaces.render.progress import Unit, progress_of
from venturi.interfaces.render.quantities import count_of
from venturi.interfaces.render.resources.difference import write_difference, write_done, write_plan
from venturi.interfaces.standard_output import write_note, write_standard_output
from venturi.interfaces.uncounted_labels import note_uncounted
from venturi.services.applying.applying import Applying
from venturi.services.applying.request import ApplyRequest
from venturi.services.applying.wire import label_body

_NOTHING_WRONG, _DECLINED = 0, 1


class ApplyCommand:
    """Shows what applying would change and, unless that is all that is asked for, changes it."""

    def __init__(self, applying: Applying, confirm: Callable[[str], bool] | None) -> None:
        """Ask ``confirm`` before labels are deleted; None where there is nobody to ask."""
        self._applying = applying
        self._confirm = confirm

    def run(self, document: RulesDocument, request: ApplyRequest) -> int:
        """Apply ``document``, or only check whether it could be; give the exit code.

        Whatever ends it, what was done until then is written.
        """
        for note in _notes(document):
            write_note(note)
        with progress_of(Unit.WHOLE) as progress:
            progress.begin(f"comparing {count_of(len(document.labels), 'label')}", None)
            difference = self._applying.compare(document)
        write_standard_output(partial(write_difference, difference, request.listed))
        deleted = len(difference.of_kind(ChangeKind.DELETED))
        confirm = self._confirm if deleted and not request.assume_yes else None
        if difference.labels and (request.dry_run or confirm is not None):
            write_standard_output(partial(write_plan, difference))
        points = self._applying.present_points()
        for note in note_uncounted([label_body(each.label) for each in self._applying.wanted], points) if points is not None else ():
            write_note(note)
        if request.dry_run:
            if difference.labels:
                self._applying.check(difference, write_note)
            write_standard_output(_write_nothing_changed)
            return _NOTHING_WRONG
        if not difference.labels:
            return _NOTHING_WRONG
        if confirm is not None and not confirm(f"Delete {count_of(deleted, 'label')}?"):
            return _DECLINED
        try:
            with progress_of(Unit.WHOLE) as progress:
                progress.begin(f"applying {count_of(len(difference.labels), 'label')}", None)
                self._applying.carry_out(difference, write_note)
        finally:
            write_standard_output(partial(write_done, self._applying.done))
        return _NOTHING_WRONG


def _write_nothing_changed(stream: TextIO) -> None:
    stream.write("nothing was changed\n")


def _notes(document: RulesDocument) -> list[str]:
    inside = ["inside is for metering files; the server has no use for it"] if document.inside else []
    return [*inside, *document.notes]
