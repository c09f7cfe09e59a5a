"""The colours of states on a terminal: green for what is well, yellow for what waits or is known in part, red for what is not well.

Owns which words are states. How a cell is coloured is for ``table``.
"""

from collections.abc import Mapping

from venturi.interfaces.render.resources.table import DIM, GREEN, RED, YELLOW

_COLUMNS = frozenset({"state", "phase", "decision", "coverage", "answer"})

_COLOURS: Mapping[str, str] = {
    **dict.fromkeys(("accepted", "complete", "delivering", "idle", "ready", "reporting", "running", "valid", "yes"), GREEN),
    **dict.fromkeys(("held", "interpolated", "no_status", "not_metered", "partial", "retrying", "stopped"), YELLOW),
    **dict.fromkeys(("down", "failed", "gap", "incomplete", "open", "rolled_back", "silent"), RED),
    **dict.fromkeys(("cleared", "expired", "no", "rejected", "revoked"), DIM),
}


def colour_states(column: str, value: object) -> str:
    """Give the colour of a value in a column of states, empty where it has none."""
    return _COLOURS.get(value, "") if column in _COLUMNS and isinstance(value, str) else ""
