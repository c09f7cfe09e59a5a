"""The outcome of checking rules files, in lines of text."""

from typing import TextIO

from venturi.core.domain.label import all_rules
from venturi.core.rules.document import RulesReading


def write_reading(reading: RulesReading, stream: TextIO) -> None:
    """Write every problem that was kept, a line each, or, where there is none, how much was read."""
    stream.writelines(f"{problem}\n" for problem in reading.problems)
    unkept = reading.problem_count - len(reading.problems)
    if unkept > 0:
        stream.write(f"and {unkept} more\n")
    if not reading.problems:
        labels = reading.document.labels
        stream.write(f"{len(labels)} labels, {len(all_rules(labels))} rules, {len(reading.document.inside)} inside prefixes: well formed\n")
        stream.writelines(f"note: {note}\n" for note in reading.document.notes)
