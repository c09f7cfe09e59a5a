"""The state of a server at a revision: a row for each label, rule and observation point, or the document as it is."""

from collections.abc import Iterator, Mapping, Sequence

from venturi.interfaces.render.resources.selection import Row

STATE_COLUMNS = ("resource", "id", "name", "project_id", "shared", "what")
"""The columns of a state as a table; ``what`` says what a rule matches, or where a point is."""


def state_rows(document: Mapping[str, object]) -> list[Row]:
    """Give the rows of a state: each label followed by its rules, then the observation points."""
    rows: list[Row] = []
    for label in _objects(document.get("labels")):
        rows.append({**label, "resource": "label", "what": label.get("description")})
        rows += [{"id": rule.get("id"), "resource": "rule", "what": describe_rule(rule)} for rule in _objects(label.get("rules"))]
    points = _objects(document.get("observation_points"))
    return [*rows, *({**point, "resource": "observation point", "what": describe_place(point)} for point in points)]


def describe_rule(rule: Row) -> str:
    """Say in one line what a rule matches."""
    excluded = ", excluded" if rule.get("excluded") else ""
    remote = rule.get("remote_ip_prefix")
    if remote:
        return f"{rule.get('direction')} remote {remote}{excluded}"
    return f"{rule.get('direction')} {rule.get('source_ip_prefix') or 'any'} -> {rule.get('destination_ip_prefix') or 'any'}{excluded}"


def describe_place(point: Row) -> str:
    """Say in one line where an observation point is."""
    if point.get("kind") == "interface":
        namespace = point.get("namespace")
        return f"{point.get('host')} {point.get('device')}" + (f" in {namespace}" if namespace else "")
    if point.get("kind") == "router":
        return f"router {point.get('router_id')}"
    domain = point.get("observation_domain")
    return str(point.get("address") or "") + ("" if domain is None else f" domain {domain}")


def _objects(value: object) -> Iterator[Row]:
    return (each for each in (value if isinstance(value, Sequence) else ()) if isinstance(each, Mapping))
