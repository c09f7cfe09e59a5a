"""Labels that no observation point counts: which those are, and what is said of them.

Owns the sentence. A label applies at a point if either is shared, or both are of one project; callers see some points alone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from venturi.core.domain.text import escape_unfit

_LONGEST_LIST = 3
_LONGEST_NAME = 60


def counts_at(label: Mapping[str, object], point: Mapping[str, object]) -> bool:
    """Tell whether a label applies at a point, both as they stand on the wire."""
    return bool(label.get("shared") or point.get("shared") or label.get("project_id") == point.get("project_id"))


def note_uncounted(labels: Sequence[Mapping[str, object]], points: Sequence[Mapping[str, object]]) -> list[str]:
    """Say of labels that apply at none of the points that they count nothing, in a sentence for each of three projects."""
    if not labels:
        return []
    if not points:
        return ["there is no observation point that you may see, so nothing is counted: create one with venturi point create"]
    if any(point.get("shared") for point in points):
        return []
    homes = {point.get("project_id") for point in points}
    uncounted: defaultdict[str, list[Mapping[str, object]]] = defaultdict(list)
    for label in labels:
        if not label.get("shared") and label.get("project_id") not in homes:
            uncounted[str(label.get("project_id"))].append(label)
    notes = [_note(project, uncounted[project]) for project in sorted(uncounted)[:_LONGEST_LIST]]
    left = sorted(uncounted)[_LONGEST_LIST:]
    number = sum(len(uncounted[project]) for project in left)
    return notes + ([f"so do {number} labels of {len(left)} more projects"] if left else [])


def name_all(noun: str, named: Sequence[Mapping[str, object]]) -> str:
    """Name one or some resources: the first of them, and how many more there are."""
    names = join_names([f"'{_name(each)}'" for each in named])
    return f"{noun}{'' if len(named) == 1 else 's'} {names}"


def join_names(names: Sequence[str]) -> str:
    """Join names as in a sentence; of many, the first and how many more there are."""
    if len(names) > _LONGEST_LIST:
        return f"{', '.join(names[:_LONGEST_LIST])} and {len(names) - _LONGEST_LIST} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _note(project: str, labels: Sequence[Mapping[str, object]]) -> str:
    verb = "counts" if len(labels) == 1 else "count"
    return (
        f"{name_all('label', labels)} {verb} at no observation point: none that you may see is shared, and none is of project "
        f"'{_spell(project)}'"
    )


def _name(resource: Mapping[str, object]) -> str:
    return _spell(str(resource.get("name")))


def _spell(text: str) -> str:
    spelled = escape_unfit(text)
    return spelled if len(spelled) <= _LONGEST_NAME else f"{spelled[: _LONGEST_NAME - 1]}…"
