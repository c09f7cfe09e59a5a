"""The status of an agent, for people and programs.

Owns what is shown of it and in which form.
"""

from functools import partial
from pathlib import Path
from typing import Any, TextIO

import msgspec

from venturi.adapters.host_clocks import tell_process
from venturi.core.domain.interval import format_time
from venturi.interfaces.render.resources.output import write_document, write_one
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.standard_output import write_standard_output
from venturi.services.agent.status import AgentStatus, PlaceStatus, count_by_state, read_status

_RUNNING, _NOT_RUNNING = 0, 1


def show_status(spool: Path, view: View) -> int:
    """Write the status of the agent of a spool; give 0 if it runs, else 1. Raises ``UnreadableFileError`` where there is none."""
    status = read_status(spool)
    running = status.running and tell_process(status.process) == status.told_by
    write_standard_output(partial(_write, _fields(status, running=running), status, view))
    return _RUNNING if running else _NOT_RUNNING


def _fields(status: AgentStatus, *, running: bool) -> dict[str, Any]:
    return {**msgspec.to_builtins(status), "running": running, "written_at": format_time(status.written_at)}


def _write(fields: dict[str, Any], status: AgentStatus, view: View, stream: TextIO) -> None:
    if view.form in {"json", "yaml"} and not view.columns:
        write_document(fields, view, stream)
        return
    counted = ", ".join(f"{number} {state}" for state, number in count_by_state(status).items() if number)
    alarms = ", ".join(f"{kind}: {number}" for kind, number in status.alarms.items() if number)
    shown = {**fields, "coverage": counted, "alarms": alarms, "places": [_spell_place(place) for place in status.places]}
    write_one(shown, view.columns or tuple(name for name in shown if name != "told_by"), view, stream)


def _spell_place(place: PlaceStatus) -> dict[str, object]:
    return {
        "point": place.point,
        "place": place.place,
        "coverage": f"gap: {place.gap}" if place.gap else "partial: bypass" if place.bypassed else "complete",
        "known until": format_time(place.known_until),
        "bad IP headers": place.bad_ip_headers,
    }
