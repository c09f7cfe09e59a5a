"""Wire forms of what is held: the list, and what is decided about it.

Owns their fields, and how rows and selections are spelled.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from venturi.adapters.store.ledger.held import Decision, HeldSelection
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.interval import format_time
from venturi.core.ledger.trust import HeldReason
from venturi.interfaces.api.v1.forms.ledger import Ordinal, PostingNumber
from venturi.interfaces.api.v1.forms.texts import Name, TimeText
from venturi.services.ledger.deciding import MOST_INTERVALS, Decided

HELD_FILTERS = {
    "agent_id": "agent_ids",
    "observation_point_id": "point_ids",
    "label_id": "label_ids",
    "reason": "reasons",
    "decision": "decisions",
}
"""The filters of the list, by the fields of a selection that they are."""

_Text = Annotated[str, Meta(min_length=1, max_length=255)]


class HeldIntervalForm(Struct, kw_only=True):
    """An interval that failed a check, named by its posting and its ordinal there, with the points and labels as its batch calls them.

    ``label_id`` is one of its labels, null without any; ``entries`` is how many entries it has, itself among them.
    """

    posting: PostingNumber
    ordinal: Ordinal
    reason: Annotated[str, Meta(description=f"Why: {', '.join(HeldReason)}.")]
    decision: Annotated[str, Meta(description=f"What became of it: {', '.join(Decision)}.")]
    decided_by: Annotated[PostingNumber | None, Meta(description="The posting that decided.")]
    agent_id: str
    host: str
    observation_point_id: str
    observation_point_name: str
    project_id: str
    label_id: str | None
    label_name: str | None
    place: str
    start: TimeText
    end: TimeText
    coverage: str
    packets: int
    octets: int
    entries: int
    classifier: str
    revision: int


class HeldList(Struct, kw_only=True):
    """A page of what is held; ``next`` is the marker of the page after it, null on the last."""

    held: list[HeldIntervalForm]
    next: str | None


class HeldPositionForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """An interval that is held."""

    posting: PostingNumber
    ordinal: Ordinal


class NewDecisionForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is decided, and why: about the intervals that are named, or about all that is held and passes the filters that are given."""

    reason: Name
    intervals: Annotated[list[HeldPositionForm], Meta(min_length=1, max_length=MOST_INTERVALS)] | None = None
    agent_id: _Text | None = None
    observation_point_id: _Text | None = None
    label_id: _Text | None = None
    held_reason: HeldReason | None = None


class DecisionForm(Struct, kw_only=True):
    """The posting that decided, about how many intervals, and how many more pass the filters: ask again for those."""

    posting: PostingNumber
    intervals: int
    remaining: int


def held_interval(row: Any) -> HeldIntervalForm:  # noqa: ANN401 - a row of what is held
    """Spell an interval that is held as it is answered."""
    fields = dict(row._mapping)  # noqa: SLF001 - the public name of a row's columns
    same = ("posting", "ordinal", "decision", "decided_by", "agent_id", "host", "project_id", "coverage", "entries")
    counted_by = ("classifier", "revision")
    return HeldIntervalForm(
        reason=row.held_reason,
        observation_point_id=row.point_id,
        observation_point_name=row.name,
        label_id=row.first_label_id,
        label_name=row.first_label_name,
        place=row.device,
        start=format_time(row.start_at),
        end=format_time(row.end_at),
        packets=int(row.packets),
        octets=int(row.octets),
        **{name: fields[name] for name in (*same, *counted_by)},
    )


def read_selection(form: NewDecisionForm) -> HeldSelection:
    """Read what is decided about; raises ``InvalidRequestError`` if nothing says which, since that would be all there is."""
    chosen = (form.agent_id, form.observation_point_id, form.label_id, form.held_reason)
    if form.intervals is None and not any(chosen):
        message = "intervals: name them, or give at least one of agent_id, observation_point_id, label_id and held_reason"
        raise InvalidRequestError(message)
    positions = [(each.posting, each.ordinal) for each in form.intervals or ()]
    if len(set(positions)) != len(positions):
        message = "intervals: two of them are the same"
        raise InvalidRequestError(message)
    agent_ids, point_ids, label_ids, reasons = ((each,) if each else () for each in chosen)
    return HeldSelection(agent_ids=agent_ids, point_ids=point_ids, label_ids=label_ids, reasons=reasons, positions=positions)


def decision_form(decided: Decided) -> DecisionForm:
    """Spell a decision as it is answered."""
    return DecisionForm(posting=decided.posting, intervals=decided.intervals, remaining=decided.remaining)
