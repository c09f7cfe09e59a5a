"""Wire forms of revisions: their list, what one changed, and the whole state at one.

Owns their fields. Labels, rules and points in them have the forms that they have elsewhere.
"""

from typing import Annotated

from msgspec import Meta, Struct

from venturi.core.domain.control.revision import Change, ChangeKind, Revision
from venturi.core.domain.interval import format_time
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.given_rule import GivenRule
from venturi.interfaces.api.v1.forms.labels import LabelForm, RuleForm, rule_form
from venturi.interfaces.api.v1.forms.points import PointForm
from venturi.interfaces.api.v1.forms.texts import Identifier, TimeText

RevisionNumber = Annotated[int, Meta(ge=0, description="Its number; numbers follow the order of commits.")]


class RevisionForm(Struct, kw_only=True):
    """A committed change: who made it and when."""

    number: RevisionNumber
    at: TimeText
    author: str
    project_id: str


class RevisionList(Struct, kw_only=True):
    """A page of revisions; ``next`` is the marker of the page after it, null on the last."""

    revisions: list[RevisionForm]
    next: str | None


class ChangeForm(Struct, kw_only=True):
    """A resource that a revision changed: ``resource`` is label, rule or observation_point."""

    resource: str
    id: Identifier
    kind: ChangeKind


class RevisionWithChanges(RevisionForm, kw_only=True):
    """A revision and what it changed."""

    changes: list[ChangeForm]


class LabelState(LabelForm, kw_only=True):
    """A label with its rules, as they stood."""

    rules: list[RuleForm]


class StateForm(Struct, kw_only=True):
    """All that stood at a revision."""

    revision: RevisionForm
    labels: list[LabelState]
    observation_points: list[PointForm]


def revision_fields(revision: Revision) -> dict[str, object]:
    """Spell a revision as it is answered."""
    return {"number": revision.number, "at": format_time(revision.at), "author": revision.author, "project_id": revision.project_id}


def change_form(change: Change) -> ChangeForm:
    """Spell what happened to a resource."""
    return ChangeForm(resource=change.resource, id=change.id, kind=change.kind)


def label_state(label: MeteringLabel, rules: list[GivenRule]) -> LabelState:
    """Spell a label together with its rules."""
    return LabelState(
        id=label.id,
        name=label.name,
        project_id=label.project_id,
        description=label.description,
        shared=label.shared,
        rules=[rule_form(rule) for rule in rules],
    )
