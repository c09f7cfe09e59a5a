"""Why labels count a packet, or do not, as a table or as JSON."""

import json
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from venturi.core.classify.reference import Explanation
from venturi.core.domain.label import MeteringLabelRule
from venturi.interfaces.render.ruled_box import RULED

_PIPE_WIDTH = 100


def write_explanations_json(explanations: Sequence[Explanation], stream: TextIO) -> None:
    """Write an object whose list ``labels`` says of each label with a matching rule whether it counts, and by which rules."""
    labels = [
        {
            "label": explanation.label.name,
            "label_id": explanation.label.id,
            "counts": explanation.counts,
            "including_rules": [_rule_fields(rule) for rule in explanation.including],
            "excluding_rules": [_rule_fields(rule) for rule in explanation.excluding],
        }
        for explanation in explanations
    ]
    stream.write(json.dumps({"labels": labels}, indent=2) + "\n")


def write_explanations_table(explanations: Sequence[Explanation], stream: TextIO) -> None:
    """Write a row for each rule that matches: its label, whether the label counts the packet, and the rule."""
    console = Console(file=stream, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False, emoji=False, markup=False)
    if not explanations:
        console.print("No rule of any label matches: the packet is unmatched.")
        return
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
            table.add_row(*first, Text(word), Text(_prefixes(rule)), Text(rule.id, style="dim"))
            first = [Text(), Text()]
    console.print(table)


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
