"""Alarms for what is held of a batch: what an administrator is told, and the projects whose points and labels it is about.

Owns their sentences. What is held is decided in ``judging``.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

from venturi.core.domain.alarm import Alarm
from venturi.core.ledger.batch import Batch, Envelope
from venturi.core.ledger.trust import HeldReason
from venturi.services.ledger.judging import Verdict

_MOST_PROJECTS = 20
"""Projects with labels in what is held of one batch that are told of it, at most; coverage tells the others."""


class LedgerAlarm(StrEnum):
    """What an operator should see to in the ledger."""

    CONFLICT = "batch_conflict"
    """A batch contradicts what is posted; it is kept aside."""
    HELD = "held"
    """Intervals failed a check: they are held until an administrator accepts or rejects them."""
    HELD_LIMIT = "held_limit"
    """So much of what an agent posted is held that no more is taken of it."""
    VOLATILE = "volatile_database"
    """The database acknowledges what a crash can still lose."""


def say_limit(envelope: Envelope, most: int) -> str:
    """Say that no more of an agent is taken that would be held, since ``most`` entries are."""
    return (
        f"of agent '{envelope.agent_id}', {most} entries or more are held, so no batch with more of them is taken: "
        f"accept or reject them (venturi ledger held --agent-id {envelope.agent_id})"
    )


def tell_held(envelope: Envelope, batch: Batch, verdicts: Sequence[Verdict], posting: int) -> list[Alarm]:
    """Make an alarm for each reason for which intervals are held, naming the first of them, and one for each project with labels there."""
    places: dict[HeldReason, list[int]] = {}
    for place, verdict in enumerate(verdicts):
        if verdict.reason is not None:
            places.setdefault(verdict.reason, []).append(place)
    alarms = [_tell_reason(envelope, batch, verdicts, posting, some) for some in places.values()]
    return [*alarms, *(alarm for some in places.values() for alarm in _tell_projects(envelope, batch, verdicts, posting, some))]


def _tell_reason(envelope: Envelope, batch: Batch, verdicts: Sequence[Verdict], posting: int, places: Sequence[int]) -> Alarm:
    verdict = verdicts[places[0]]
    reason = str(verdict.reason)
    used = sorted(verdict.used, key=lambda place: batch.labels[place].id in verdict.labels)
    label = f", label {batch.labels[used[0]].id}" if used else ""
    count = "an interval" if len(places) == 1 else f"{len(places)} intervals"
    sentence = (
        f"{count} that agent '{envelope.agent_id}' posted for host '{envelope.host}' (posting {posting}) count nowhere until you accept "
        f"or reject them; the first is of observation point {verdict.point.id}{label}; the reason is {reason}: "
        f"venturi ledger held --agent-id {envelope.agent_id}"
    )
    return Alarm(
        kind=LedgerAlarm.HELD,
        subject=f"{envelope.agent_id} {reason}",
        sentence=sentence,
        project_sentence=f"{count} posted about an observation point count nowhere until an administrator decides; the reason is {reason}",
        point_id=verdict.point.id if verdict.told else "",
        agent_id=envelope.agent_id,
        host=envelope.host,
    )


def _tell_projects(envelope: Envelope, batch: Batch, verdicts: Sequence[Verdict], posting: int, places: Sequence[int]) -> Iterator[Alarm]:
    """Tell the projects whose labels have usage in held intervals of a point that is not theirs, as the host was told of both."""
    held: Counter[str] = Counter()
    for verdict in (verdicts[place] for place in places):
        labels = (verdict.labels.get(batch.labels[used].id) for used in verdict.used)
        of_point = verdict.point.project_id if verdict.told else None
        held.update({label.project_id for label in labels if label is not None} - {of_point})
    reason = str(verdicts[places[0]].reason)
    for project_id, number in sorted(held.items())[:_MOST_PROJECTS]:
        count = "an interval" if number == 1 else f"{number} intervals"
        sentence = (
            f"{count} that agent '{envelope.agent_id}' posted (posting {posting}) with usage of labels of project '{project_id}' count "
            f"nowhere until you accept or reject them; the reason is {reason}: venturi ledger held --agent-id {envelope.agent_id}"
        )
        until = "until an administrator decides"
        yield Alarm(
            kind=LedgerAlarm.HELD,
            subject=f"{envelope.agent_id} {reason} {project_id}",
            sentence=sentence,
            project_id=project_id,
            project_sentence=f"{count} with usage of labels of the project count nowhere {until}; the reason is {reason}",
            agent_id=envelope.agent_id,
            host=envelope.host,
        )
