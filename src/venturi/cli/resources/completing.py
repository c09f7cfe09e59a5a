"""What a shell completes beside commands and options: names on the server, and columns.

Owns that completion never fails aloud and never waits for long.
"""

from collections.abc import Callable

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import AGENTS, ALARMS, CONTRACTS, HELD, LABELS, POINTS, REVISIONS, RULES, TOKENS, Collection
from venturi.adapters.client.config import ServerChoice
from venturi.core.domain.errors import VenturiError

Completion = Callable[[click.Context, click.Parameter, str], list[str]]

_COLLECTIONS = {
    "agent": AGENTS,
    "alarm": ALARMS,
    "contract": CONTRACTS,
    "label": LABELS,
    "ledger": HELD,
    "point": POINTS,
    "revision": REVISIONS,
    "rule": RULES,
    "token": TOKENS,
}
"""The collection that the commands of a group list and show."""


def names_of(collection: Collection) -> Completion:
    """Complete the names of what a collection of the server holds; nothing where it cannot be asked."""

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        url, ca_file = context.params.get("url"), context.params.get("ca_file")
        choice = ServerChoice(url=url, ca_file=ca_file, insecure_token=bool(context.params.get("insecure_token")))
        try:
            return [name for name in composition.list_names(choice, collection) if name.startswith(incomplete)]
        except VenturiError:
            return []

    return complete


def complete_column(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the columns of what the command lists or shows."""
    group = context.parent.info_name if context.parent is not None else None
    collection = _COLLECTIONS.get(group or "")
    known = (*collection.known, *collection.details) if collection is not None else ()
    return [column for column in known if column.startswith(incomplete.lower())]
