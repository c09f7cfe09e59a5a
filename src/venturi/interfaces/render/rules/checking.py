"""The outcome of checking rules files: lines of text, or a document."""

from typing import TextIO

from venturi.core.domain.label import all_rules
from venturi.core.rules.document import RulesReading
from venturi.interfaces.render.quantities import count_of
from venturi.interfaces.render.resources.output import write_document
from venturi.interfaces.render.resources.view import View


def write_reading(reading: RulesReading, view: View, stream: TextIO) -> None:
    """Write every problem that was kept, a line each, or, where there is none, how much was read."""
    labels, rules = len(reading.document.labels), len(all_rules(reading.document.labels))
    inside = len(reading.document.inside)
    if view.form != "table":
        counts = {"labels": labels, "rules": rules, "inside": inside} if not reading.problems else {}
        told = {"problems": list(reading.problems), "problem_count": reading.problem_count, **counts, "notes": list(reading.document.notes)}
        write_document(told, view, stream)
        return
    stream.writelines(f"{problem}\n" for problem in reading.problems)
    unkept = reading.problem_count - len(reading.problems)
    if unkept > 0:
        stream.write(f"and {unkept} more\n")
    if not reading.problems:
        prefixes = count_of(inside, "inside prefix", "inside prefixes")
        stream.write(f"{count_of(labels, 'label')}, {count_of(rules, 'rule')}, {prefixes}: well formed\n")
        stream.writelines(f"note: {note}\n" for note in reading.document.notes)
