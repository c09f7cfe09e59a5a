"""What commands say about rules: what is wrong in rules files, and why labels count a packet, or do not.

Owns both as tables or lines of text, and as documents.
"""

import json
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from venturi.core.classify.reference import Explanation
from venturi.core.domain.label import MeteringLabelRule, all_rules
from venturi.core.domain.text import SHORT_IDENTIFIER, escape_unfit
from venturi.core.rules.document import RulesReading
from venturi.interfaces.render.quantities import count_of
from venturi.interfaces.render.resources.output import write_document
from venturi.interfaces.render.resources.table import UUID_FORM
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.render.ruled_box import RULED

_PIPE_WIDTH = 100

InapplicableExplanation = tuple[Explanation, str]
"""Which rules of a label match that does not apply at a point, and why it does not."""


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


def write_explanations_json(
    explanations: Sequence[Explanation], stream: TextIO, inapplicable: Sequence[InapplicableExplanation] = ()
) -> None:
    """Write an object whose list ``labels`` says of each label with a matching rule whether it counts, and by which rules.

    Its list ``inapplicable`` says the same of those that do not apply at the point asked about, with the ``reason``.
    """
    document = {
        "labels": [_label_fields(explanation, counts=explanation.counts) for explanation in explanations],
        "inapplicable": [_label_fields(explanation, counts=False) | {"reason": reason} for explanation, reason in inapplicable],
    }
    stream.write(json.dumps(document, indent=2) + "\n")


def _label_fields(explanation: Explanation, *, counts: bool) -> dict[str, object]:
    return {
        "label": explanation.label.name,
        "label_id": explanation.label.id,
        "counts": counts,
        "including_rules": [_rule_fields(rule) for rule in explanation.including],
        "excluding_rules": [_rule_fields(rule) for rule in explanation.excluding],
    }


def write_explanations_table(
    explanations: Sequence[Explanation], stream: TextIO, inapplicable: Sequence[InapplicableExplanation] = ()
) -> None:
    """Write a row for each rule that matches: its label, whether the label counts the packet, and the rule.

    Below is a line for each label that does not apply at the point asked about.
    """
    console = Console(file=stream, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False, emoji=False, markup=False)
    if not explanations:
        console.print(f"No rule of any label {'that applies there ' if inapplicable else ''}matches: the packet is unmatched.")
    else:
        console.print(_explanations_table(explanations))
    for explanation, reason in inapplicable:
        name = escape_unfit(explanation.label.name or explanation.label.id)
        console.print(f"Label '{name}' has rules that match, but does not count: {escape_unfit(reason)}.", soft_wrap=not stream.isatty())


def _explanations_table(explanations: Sequence[Explanation]) -> Table:
    columns = (
        Column("label", overflow="fold"),
        "counts",
        "rule",
        Column("source → destination", overflow="fold"),
        Column("id", overflow="fold"),
    )
    table = Table(*columns, box=RULED, padding=(0, 1, 0, 0), show_edge=False, header_style="bold", border_style="dim")
    for explanation in explanations:
        verdict = Text("yes", style="bold green") if explanation.counts else Text("no", style="bold red")
        first = [Text(explanation.label.name or explanation.label.id, style="bold"), verdict]
        for rule in (*explanation.excluding, *explanation.including):
            word = f"excluded by {rule.direction}" if rule.excluded else f"included by {rule.direction}"
            table.add_row(*first, Text(word), Text(_prefixes(rule)), Text(_shorten(rule.id), style="dim"))
            first = [Text(), Text()]
    return table


def _shorten(identifier: str) -> str:
    """Give an id as short as commands take it; the place of a rule in a file is no id and stays whole."""
    return identifier[:SHORT_IDENTIFIER] if UUID_FORM.fullmatch(identifier) else identifier


def _prefixes(rule: MeteringLabelRule) -> str:
    return f"{rule.source_ip_prefix or 'any'} → {rule.destination_ip_prefix or 'any'}"


def _rule_fields(rule: MeteringLabelRule) -> dict[str, str | bool | None]:
    return {
        "id": rule.id,
        "direction": str(rule.direction),
        "source_ip_prefix": str(rule.source_ip_prefix) if rule.source_ip_prefix else None,
        "destination_ip_prefix": str(rule.destination_ip_prefix) if rule.destination_ip_prefix else None,
        "excluded": rule.excluded,
    }
