"""What a report of usage that shows nothing, or nothing new, lacks: the reason, and the command that mends it.

Owns the questions to the server by which that is found out, and the sentences. Reports themselves belong to ``usage_command``.
"""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from venturi.adapters.client.collections import AGENTS, LABELS, POINTS, RULES, Reference
from venturi.adapters.client.resources import Resource, Resources
from venturi.core.domain.errors import ForbiddenError, NotFoundError
from venturi.core.domain.interval import SECOND, format_time, parse_time
from venturi.core.domain.point import PointKind
from venturi.core.domain.text import escape_unfit
from venturi.interfaces.uncounted_labels import counts_at, join_names, name_all

_REPORT_SECONDS = 60
"""The report interval of an agent that does not say which it has."""

_LONGEST_LIST = 3
_WIDTH = 80


def tell_since_when(resources: Resources, report: Mapping[str, object]) -> list[str]:
    """Say since when nothing is known, and why, if a report goes on until now and its newest record is older than two report intervals.

    If the report has not all that is posted, say that.
    """
    rolled_until = _time(report, "rolled_until")
    if rolled_until is not None:
        return [f"What was posted since {_second(rolled_until)} is not in this report yet: the server is behind with its roll-ups.", ""]
    known_until, read_at, end = (_time(report, name) for name in ("known_until", "read_at", "to"))
    if known_until is None or read_at is None or end is None or end < read_at or read_at - known_until <= 2 * SECOND:
        return []
    agents = _agents(resources)
    if read_at - known_until <= 2 * SECOND * _report_seconds(agents or ()):
        return []
    since = _second(known_until)
    return [*wrap(f"Nothing is known since {since}: {_why_silent(agents)}", _WIDTH, break_long_words=False, break_on_hyphens=False), ""]


def tell_what_is_missing(resources: Resources, report: Mapping[str, object], labels: Sequence[str], *, totals: bool) -> list[str]:
    """Say what is missing for there to be usage, the first of it alone, and the command that mends it."""
    points = resources.find_all(POINTS)
    if not points:
        return [
            "There is no observation point that you may see: nothing is metered. Create one:",
            "  venturi point create NAME --kind interface --host HOST --device DEVICE --share",
        ]
    missing = [] if totals else _missing_labels(resources, points, labels)
    return missing or _missing_records(resources, report, points) or _nothing_counted(totals=totals)


def _missing_labels(resources: Resources, points: Sequence[Resource], texts: Sequence[str]) -> list[str]:
    labels = _asked_labels(resources, texts)
    if labels is None:
        return []
    if not labels:
        return [
            "There is no label, so nothing is told apart. Create one, or many from a file:",
            "  venturi label create NAME",
            "  venturi apply RULES.yaml",
        ]
    homeless = [label for label in labels if not any(counts_at(label, point) for point in points)]
    if len(homeless) == len(labels):
        verb, project = ("counts", str(homeless[0].get("project_id"))) if len(homeless) == 1 else ("count", "PROJECT")
        return [
            f"{name_all('Label', homeless)} {verb} at no observation point: none is shared, and none is of the same project.",
            f"Share one, or create one of project {escape_unfit(project)}:",
            "  venturi point set POINT --share",
            f"  venturi point create NAME --kind interface --host HOST --device DEVICE --project {escape_unfit(project)}",
        ]
    if all(not _has_rules(resources, label) for label in labels[:_LONGEST_LIST]) and (texts or not resources.find_all(RULES, (), 1)):
        verb = "has no rule, so it counts" if len(labels) == 1 else "have no rules, so they count"
        return [
            f"{name_all('Label', labels)} {verb} nothing. Create one:",
            "  venturi rule create LABEL --egress --source-ip-prefix PREFIX",
        ]
    return []


def _missing_records(resources: Resources, report: Mapping[str, object], points: Sequence[Resource]) -> list[str]:
    """Say that no agent meters, or when the first figures are due."""
    if report.get("known_until") is not None:
        return []
    agents = _agents(resources)
    hosts = sorted({escape_unfit(str(point.get("host"))) for point in points if point.get("kind") == PointKind.INTERFACE})
    if agents is None:
        return ["No record has come yet. An administrator sees which agents there are: venturi agent list"]
    reporting = [agent for agent in agents if agent.get("state") == "reporting"]
    read_at = _time(report, "read_at")
    if reporting and read_at is not None:
        interval = _report_seconds(reporting) * SECOND
        due = (read_at // interval + 1) * interval
        return [f"The agent {_name(reporting[0])} reports. The first figures are due at {_second(due)}."]
    where = f" on {join_names(hosts)}" if hosts else ""
    told = "No agent has reported" if not agents else f"No agent reports: {_why_silent(agents)}"
    return [f"{told.removesuffix('.')}. Start one{where}, as root:", "  venturi agent --server URL"]


def _nothing_counted(*, totals: bool) -> list[str]:
    if totals:
        return ["No packet passed the observation points in this time. For a longer time: venturi usage --totals --last 7d"]
    return ["No packet counted for a label in this time. All that points counted: venturi usage --totals"]


def _asked_labels(resources: Resources, texts: Sequence[str]) -> list[Resource] | None:
    """Find the labels that are asked for, or all; None where one is gone, whose usage may be asked for all the same."""
    if not texts:
        return resources.find_all(LABELS)
    try:
        return [resources.find(Reference(LABELS, text)) for text in texts]
    except NotFoundError:
        return None


def _has_rules(resources: Resources, label: Resource) -> bool:
    return bool(resources.find_all(RULES, (("metering_label_id", str(label["id"])),), 1))


def _agents(resources: Resources) -> list[Resource] | None:
    """List the agents, None for a caller who may not see them or a server that has no such list."""
    try:
        return resources.find_all(AGENTS)
    except (ForbiddenError, NotFoundError):
        return None


def _report_seconds(agents: Sequence[Resource]) -> int:
    told = [seconds for agent in agents if isinstance(seconds := agent.get("report_interval_seconds"), int)]
    return max(told, default=_REPORT_SECONDS)


def _why_silent(agents: Sequence[Resource] | None) -> str:
    """Say in a clause what became of the agents: the one that had a problem last, else the one that was heard of last."""
    if agents is None:
        return "an administrator sees why by venturi agent list."
    if not agents:
        return "no agent reports. Start one on the host: venturi agent --server URL"
    troubled = [agent for agent in agents if agent.get("problem")]
    agent = max(troubled or agents, key=lambda each: str(each.get("reported_at") or each.get("last_posted_at") or ""))
    name, heard = _name(agent), agent.get("reported_at") or agent.get("last_posted_at")
    if agent.get("problem"):
        return f"agent {name}: {escape_unfit(str(agent['problem']))}"
    if agent.get("state") == "stopped":
        return f"agent {name} was stopped."
    if agent.get("state") == "reporting":
        return f"agent {name} reports, but delivers no records: venturi agent show {name}"
    return f"agent {name} was last heard of at {_spell(heard)}."


def _name(agent: Resource) -> str:
    return escape_unfit(str(agent.get("agent_id")))


def _time(report: Mapping[str, object], name: str) -> int | None:
    told = report.get(name)
    return None if told is None else parse_time(str(told))


def _second(time: int) -> str:
    return format_time(time // SECOND * SECOND).replace("T", " ")


def _spell(heard: object) -> str:
    return "no time" if heard is None else _second(parse_time(str(heard)))
