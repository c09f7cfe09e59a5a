"""What ``venturi status`` shows: server, database, agents with their spools and lag, and open alarms, on one screen.

Owns the questions to the server and their order. Whatever the caller may not see is left out, and said to be.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TextIO

from venturi.adapters.client.collections import AGENTS, ALARMS, HELD, LABELS, POINTS, Collection
from venturi.adapters.client.resources import Resource, Resources
from venturi.core.domain.errors import ForbiddenError, NotFoundError, ServerError
from venturi.core.domain.interval import SECOND, parse_time
from venturi.core.domain.text import escape_unfit
from venturi.interfaces.render.quantities import Units, count_of, format_octets
from venturi.interfaces.render.resources.output import write_document, write_list
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.standard_output import write_standard_output

_SHOWN = 10
"""How many agents and alarms are shown; the rest is counted."""

_COUNTED = 10_000
"""How many resources of a sort are counted at most."""

_NO_STATUS = "no_status"
"""The state of an agent that posts and never told of itself: a replay, or an agent of an older version."""

_UNSEEN = "only an administrator sees them"
_AGENT_COLUMNS = ("agent", "state", "last_report", "lag", "spool", "problem")
_ALARM_COLUMNS = ("kind", "alarm", "last_seen_at")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

Json = Mapping[str, object]


def show_status(resources: Resources, url: str, now: int, view: View) -> int:
    """Write how a server is; ``now`` is in nanoseconds since the UTC epoch. Raises ``ServerError`` where none answers."""
    status = gather_status(resources, url)
    if view.form == "table":
        write_standard_output(partial(_write, status, now, view))
    else:
        write_standard_output(partial(write_document, status, view))
    return 0


def gather_status(resources: Resources, url: str) -> dict[str, object]:
    """Ask a server how it is: lists are None for a caller who may not see them."""
    ready, problem = True, ""
    try:
        resources.ask("GET", "/healthz/ready")
    except ServerError as error:
        if error.answered is None:
            raise
        ready, problem = False, str(error)
    about: dict[str, object] = {"url": url, "version": _version(resources), "ready": ready, "problem": problem}
    if not ready:
        return {"server": about}
    caller = resources.ask("GET", "/v1/caller")
    return {
        "server": about,
        "caller": caller,
        "labels": _count(resources, LABELS),
        "observation_points": _count(resources, POINTS),
        "agents": _or_unseen(lambda: resources.find_all(AGENTS)),
        "open_alarms": _or_unseen(lambda: resources.find_all(ALARMS, (("state", "open"),))),
        "held_intervals": _count(resources, HELD),
    }


def _version(resources: Resources) -> str:
    about = resources.ask("GET", "/openapi.json").get("info")
    return str(about.get("version", "")) if isinstance(about, dict) else ""


def _or_unseen(ask: Callable[[], object]) -> object:
    """Give an answer, None where the caller may not see it or the server has no such thing."""
    try:
        return ask()
    except (ForbiddenError, NotFoundError):
        return None


def _count(resources: Resources, collection: Collection) -> object:
    """Count resources, as far as it is worth the time."""
    return _or_unseen(lambda: len(resources.find_all(collection, (), _COUNTED)))


def _write(status: Json, now: int, view: View, stream: TextIO) -> None:
    stream.writelines(f"{word:<10}{line}\n" for word, line in _lines(status))
    agents, alarms = _list(status, "agents"), _list(status, "open_alarms")
    rows = [_agent_row(agent, now) for agent in agents[:_SHOWN]]
    if rows:
        stream.write("\n")
        columns = [column for column in _AGENT_COLUMNS if column != "problem" or any(row["problem"] for row in rows)]
        write_list(rows, columns, view, stream)
        _write_rest(len(agents), "agent", "venturi agent list", stream)
    if alarms:
        stream.write("\n")
        write_list([{**alarm, "alarm": alarm.get("sentence")} for alarm in alarms[:_SHOWN]], _ALARM_COLUMNS, view, stream)
        _write_rest(len(alarms), "alarm", "venturi alarm list --state open", stream)


def _lines(status: Json) -> list[tuple[str, str]]:
    server = _object(status, "server")
    version = f"venturi {escape_unfit(str(server.get('version')))}" if server.get("version") else "an unknown version"
    lines = [("server", f"{server['url']}, {version}")]
    if not server["ready"]:
        return [*lines, ("database", f"not ready: {escape_unfit(str(server['problem']))}")]
    caller = _object(status, "caller")
    roles = caller.get("roles")
    highest = next((role for role in _RANKS if isinstance(roles, list) and role in roles), "no role")
    lines.append(("you", f"{escape_unfit(str(caller.get('user_id')))}, {highest} of project {escape_unfit(str(caller.get('project_id')))}"))
    lines.append(("database", "ready"))
    held = [_counted(status, "held_intervals", "held interval")] if status.get("held_intervals") else []
    metered = [_counted(status, "labels", "label"), _counted(status, "observation_points", "observation point"), *held]
    lines.append(("metering", ", ".join(metered)))
    lines.append(("agents", _tell_agents(status)))
    alarms = status.get("open_alarms")
    lines.append(("alarms", _UNSEEN if alarms is None else f"{len(_list(status, 'open_alarms')) or 'none'} open"))
    return lines


_RANKS = ("admin", "manager", "member", "reader", "agent", "monitor")


def _counted(status: Json, name: str, noun: str) -> str:
    number = status.get(name)
    if not isinstance(number, int):
        return f"{noun}s unseen"
    return f"{count_of(number, noun)}{' or more' if number == _COUNTED else ''}"


def _tell_agents(status: Json) -> str:
    if status.get("agents") is None:
        return _UNSEEN
    agents = _list(status, "agents")
    if not agents:
        return "none; start one on a host, as root: venturi agent --server URL"
    with_status = [agent["state"] for agent in agents if agent.get("state") != _NO_STATUS]
    posting = len(agents) - len(with_status)
    parts = [f"{with_status.count('reporting')} of {len(with_status)} reporting"] if with_status else []
    parts += [f"{posting} that only {'posts' if posting == 1 else 'post'}, without a status"] if posting else []
    return ", ".join(parts)


def _agent_row(agent: Resource, now: int) -> dict[str, object]:
    spool = agent.get("spool")
    used = ""
    if isinstance(spool, dict):
        waiting = spool.get("unacknowledged_batches", 0)
        room = format_octets(int(str(spool.get("octets", 0))), Units.IEC)
        pressure = spool.get("pressure")
        used = f"{room}, {count_of(int(str(waiting)), 'batch waits', 'batches wait')}" + (
            f", {pressure}" if pressure not in {None, "none"} else ""
        )
    return {
        "agent": agent.get("agent_id"),
        "state": agent.get("state"),
        "last_report": _ago(agent.get("reported_at") or agent.get("last_posted_at"), now, " ago"),
        "lag": "" if agent.get("state") == _NO_STATUS else _ago(agent.get("oldest_undelivered"), now, "") or "none",
        "spool": used,
        "problem": agent.get("problem") or "",
    }


def _ago(time: object, now: int, word: str) -> str:
    """Spell how long ago a time was, to the unit that matters; empty for no time."""
    if time is None:
        return ""
    seconds = max(0, (now - parse_time(str(time))) // SECOND)
    for length, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}{word}"
    return f"{seconds} s{word}"


def _write_rest(number: int, noun: str, command: str, stream: TextIO) -> None:
    if number > _SHOWN:
        stream.write(f"and {count_of(number - _SHOWN, f'more {noun}')}: {command}\n")


def _list(status: Json, name: str) -> Sequence[Resource]:
    found = status.get(name)
    return found if isinstance(found, list) else []


def _object(status: Json, name: str) -> Json:
    found = status.get(name)
    return found if isinstance(found, dict) else {}
