"""What makes the figure of a period doubtful: findings, each with a name by which it can be accepted.

Owns the names, which stay the same as long as what they name does. What is found is told, never mended.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from venturi.adapters.store.store import StoreReader
from venturi.adapters.store.usage.sums import Chosen, OwnersChosen, Span
from venturi.adapters.store.usage.versions import LabelsAsked
from venturi.core.contracts.periods import Period
from venturi.core.contracts.samples import sum_octets
from venturi.core.contracts.terms import Contract, Member, MemberKind, Version
from venturi.core.domain.alarm import AlarmState
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.coverage import CoverageReason
from venturi.core.domain.interval import SECOND, Nanoseconds, format_time
from venturi.core.ledger.bins import BIN, HOUR
from venturi.core.statements.figures import Lack
from venturi.core.statements.verifying import KNOWN_SHARE
from venturi.services.alarms.kinds import ServerAlarm
from venturi.services.contracts.keeping import schedule_of
from venturi.services.statements.reading import PeriodReading

RUNNING = "period-not-over"
"""The one finding that cannot be accepted."""

JUMP = 10
"""By which factor the octets of a period differ from those of the one before that they are a finding."""

_OCTET = 8
_DIRECTIONS = ("ingress", "egress", "unknown")


@dataclass(frozen=True)
class Finding:
    """Something that makes a figure doubtful: its ``name``, and a sentence."""

    name: str
    sentence: str

    @property
    def acceptable(self) -> bool:
        """Whether a period can be closed although it is so."""
        return self.name != RUNNING


def find_doubts(reader: StoreReader, found: PeriodReading, names: Mapping[Member, str], default_line_rate: int) -> list[Finding]:
    """List what makes the figure of a period doubtful; ``names`` are those of members, points carry ``default_line_rate`` unless told."""
    measured = found.measured
    findings = []
    if measured.so_far:
        findings.append(Finding(RUNNING, f"the period is not over: it ends at {format_time(measured.period.end)}"))
    if measured.refusal is not None:
        findings.append(Finding(KNOWN_SHARE, measured.refusal))
    findings += [_of_lack(lack) for lack in found.evidence.lacks]
    findings += _of_agents(reader, found)
    findings += _above_line_rate(reader, found, default_line_rate)
    unknown = sum_octets(measured.samples).unknown
    if unknown:
        findings.append(
            Finding("unknown-direction", f"{unknown} octets passed in an unknown direction, which are in no measure but the sum")
        )
    findings += _of_members(reader, measured.contract, measured.version, measured.period, names)
    return list({finding.name: finding for finding in findings}.values())


def _of_lack(lack: Lack) -> Finding:
    start, end = format_time(Nanoseconds(lack.start)), format_time(Nanoseconds(lack.end))
    kind = next((each.value for each in (CoverageReason.HELD, CoverageReason.OVERLAPPING) if each.value in lack.reasons), lack.state)
    reasons = f" ({', '.join(lack.reasons)})" if lack.reasons else ""
    return Finding(f"{kind}:{lack.point}:{start}", f"point '{lack.point}' is {lack.state}{reasons} from {start} to {end}")


def _of_agents(reader: StoreReader, found: PeriodReading) -> Iterator[Finding]:
    """Give what agents that metered the points have not delivered, and those that fell silent before the period was over."""
    for spool, (agent, count) in sorted(reader.ledger.outstanding(found.agents).items()):
        yield Finding(f"outstanding:{agent}:{spool}", f"{count} batches of agent '{agent}' are outstanding, of its spool {spool}")
    silent = Listing(filters={"kind": (ServerAlarm.SILENT.value,), "state": (AlarmState.OPEN.value,)})
    for alarm in reader.alarms.list(silent):
        if alarm.agent_id in found.agents and alarm.first_seen_at < found.measured.period.end + HOUR:
            yield Finding(f"silent:{alarm.agent_id}", alarm.sentence)


def _above_line_rate(reader: StoreReader, found: PeriodReading, default: int) -> Iterator[Finding]:
    """Give the samples of points that are more than their lines carry."""
    names = {point.version: point for point in found.points if point.version > 0}
    rates: dict[int, set[int]] = {}
    for version, point in names.items():
        kept = reader.points.find(point.point_id)
        rates.setdefault((kept.line_rate if kept else None) or default, set()).add(version)
    period = found.measured.period
    for rate, versions in rates.items():
        most = rate * BIN // SECOND // _OCTET
        for start, version, direction, octets in reader.usage.above(Span(BIN, period.start, period.end), frozenset(versions), most):
            name, at = names[version].name, format_time(start)
            said = f"{octets} octets ({_DIRECTIONS[direction]}) in the 5 minutes from {at}, and its line carries {most}"
            yield Finding(f"line-rate:{name}:{at}", f"point '{name}' had {said}")


def _of_members(
    reader: StoreReader, contract: Contract, version: Version, period: Period, names: Mapping[Member, str]
) -> Iterator[Finding]:
    """Give members without traffic that had some in the period before, and a jump of all that was counted."""
    before = schedule_of(contract).before(period).clip(contract.begins_at, None)
    if before.start >= before.end or before.end > period.start:
        return
    then, now = (_sum_members(reader, version, each) for each in (before, period))
    for member in version.terms.members:
        if then.get(member) and not now.get(member):
            said = f"{member.kind} '{names[member]}' had no traffic, and {then[member]} octets in the period before"
            yield Finding(f"no-traffic:{member.kind}:{names[member]}", said)
    earlier, later = sum(then.values()), sum(now.values())
    if earlier and later and (later > JUMP * earlier or earlier > JUMP * later):
        said = f"{later} octets were counted, and {earlier} in the period before: they differ by more than a factor of {JUMP}"
        yield Finding("jump", said)


def _sum_members(reader: StoreReader, version: Version, period: Period) -> dict[Member, int]:
    """Sum the octets of each member in a period, at the points of the boundary."""
    width = HOUR if period.start % HOUR == 0 == period.end % HOUR else BIN
    span, usage = Span(width, period.start, period.end), reader.usage
    at = {point.version: point for point in usage.point_versions() if point.version > 0 and point.boundary == version.terms.boundary}
    points = frozenset(at)
    by_kind = {kind: {member.id: member for member in version.terms.members if member.kind is kind} for kind in MemberKind}
    sums = dict.fromkeys(version.terms.members, 0)
    asked = LabelsAsked(label_ids=frozenset(by_kind[MemberKind.LABEL]))
    labels = {each.version: each.label_id for each in usage.label_versions(asked)} if by_kind[MemberKind.LABEL] else {}
    if labels:
        for row in usage.usage(span, None, ("label_version",), [Chosen(frozenset(labels), points)]):
            sums[by_kind[MemberKind.LABEL][labels[row[1]]]] += row[3]
    for project_id, member in by_kind[MemberKind.PROJECT].items():
        owned = usage.label_owners(LabelsAsked(project_ids=frozenset({project_id})))
        owners = frozenset(each.owner for each in owned if not each.shared)
        if owners:
            sums[member] += sum(row[2] for row in usage.usage_of_owners(span, None, (), [OwnersChosen(owners, points)]))
    named = frozenset(number for number, point in at.items() if point.point_id in by_kind[MemberKind.POINT])
    if named:
        for row in usage.totals(span, None, ("point_version",), named):
            sums[by_kind[MemberKind.POINT][at[row[1]].point_id]] += row[3]
    return sums
