"""Members of contracts: whose they are, where they are counted, and whether two may count one packet.

Owns who may be a member. What overlaps is worked out by ``core.contracts.overlapping``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from venturi.adapters.store.store import StoreReader
from venturi.core.contracts.overlapping import Labels, Overlap, find_double
from venturi.core.contracts.terms import Member, MemberKind, Terms
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidContractError, MembersOverlapError, PointNotFoundError
from venturi.core.domain.label import MeteringLabel, MeteringLabelRule
from venturi.core.domain.point import ObservationPoint
from venturi.core.rules.checks import printable
from venturi.services.control.labels import visible_label
from venturi.services.control.points import sees_point
from venturi.services.control.policy import Operation, require

_LABELS_AT_ONCE = 400


@dataclass(frozen=True)
class _Found:
    """A member with the label or the point that it names; a project is nothing but its name."""

    member: Member
    label: MeteringLabel | None = None
    point: ObservationPoint | None = None

    @property
    def project_id(self) -> str:
        """Whose traffic it counts."""
        found = self.label or self.point
        return self.member.id if found is None else found.project_id

    @property
    def counts_others(self) -> bool:
        """Whether it counts traffic of all projects: a shared label does, at all points."""
        return self.label is not None and self.label.shared


def check_members(caller: Principal, reader: StoreReader, project_id: str, terms: Terms, before: Terms | None = None) -> bool:
    """Check the members of a contract of a project, and tell whether some are foreign.

    Raises ``LabelNotFoundError`` or ``PointNotFoundError`` for what the caller cannot see, ``ForbiddenError`` for foreign members that the
    caller may not add, ``InvalidContractError`` for a boundary that the members are not of, and ``MembersOverlapError`` for two members
    that may count one packet, unless that is accepted. Members that were there ``before`` may be gone since.
    """
    kept = set() if before is None else set(before.members)
    found = [each for each in (_find(caller, reader, member, gone=member in kept) for member in terms.members) if each is not None]
    _check_boundary(reader, terms, found)
    foreign = [each for each in found if each.project_id != project_id or each.counts_others]
    for each in foreign:
        if each.member not in kept:
            require(caller, Operation.CREATE_CONTRACT, each.project_id, shared=each.counts_others or each.project_id != project_id)
    if terms.accepted_overlap is None and (before is None or (before.members, before.boundary) != (terms.members, terms.boundary)):
        _refuse_overlaps(reader, found)
    return bool(foreign)


def _find(caller: Principal, reader: StoreReader, member: Member, *, gone: bool) -> _Found | None:
    """Find what a member names; None for what is gone, where it may be."""
    if member.kind is MemberKind.PROJECT:
        return _Found(member)
    if member.kind is MemberKind.LABEL:
        label = reader.labels.find(member.id)
        return None if gone and label is None else _Found(member, label=visible_label(caller, label, member.id))
    point = reader.points.find(member.id)
    if point is None and gone:
        return None
    if point is None or not sees_point(caller, point):
        message = f"Observation point '{printable(member.id)}' does not exist."
        raise PointNotFoundError(message)
    return _Found(member, point=point)


def _check_boundary(reader: StoreReader, terms: Terms, found: Sequence[_Found]) -> None:
    for each in found:
        if each.point is not None and each.point.boundary != terms.boundary:
            message = f"members: point '{printable(each.point.name)}' is of boundary '{each.point.boundary}', not of '{terms.boundary}'"
            raise InvalidContractError(message)
    if not reader.points.list(Listing(filters={"boundary": (terms.boundary,)}, limit=1)):
        message = f"boundary: no observation point is of boundary '{printable(terms.boundary)}'"
        raise InvalidContractError(message)


def _refuse_overlaps(reader: StoreReader, found: Sequence[_Found]) -> None:
    """Refuse two members that may count one packet with ``MembersOverlapError``."""
    for one, other in _named_twice(found):
        raise _refusal(one.member, other.member, certain=True)
    labelled = [each for each in found if each.point is None]
    overlap: Overlap | None = find_double([_read_rules(reader, each) for each in labelled]) if len(labelled) > 1 else None
    if overlap is not None:
        raise _refusal(labelled[overlap.first].member, labelled[overlap.second].member, certain=overlap.certain)


def _named_twice(found: Sequence[_Found]) -> Iterator[tuple[_Found, _Found]]:
    """Give pairs of which one holds the other: a project and its label, a point and what is counted there."""
    projects = {each.member.id: each for each in found if each.member.kind is MemberKind.PROJECT}
    for each in found:
        if each.label is not None and not each.label.shared and each.label.project_id in projects:
            yield projects[each.label.project_id], each
    points = [each for each in found if each.point is not None]
    for one in points:
        for each in found:
            applies = each.counts_others or (one.point is not None and one.point.shared) or each.project_id == one.project_id
            if each.point is None and applies:
                yield one, each


def _read_rules(reader: StoreReader, each: _Found) -> Labels:
    """Read the rules of the labels that a member stands for: those of a project that are not shared."""
    if each.label is not None:
        labels = [each.label.id]
    else:
        labels = [label.id for label in reader.labels.list(Listing(filters={"project_id": (each.member.id,), "shared": (False,)}))]
    rules: dict[str, list[MeteringLabelRule]] = {label: [] for label in labels}
    for start in range(0, len(labels), _LABELS_AT_ONCE):
        for given in reader.rules.list(Listing(filters={"metering_label_id": tuple(labels[start : start + _LABELS_AT_ONCE])})):
            rules[given.metering_label_id].append(given.rule)
    return list(rules.values())


def _refusal(one: Member, other: Member, *, certain: bool) -> MembersOverlapError:
    why = "may count the same packet" if certain else "and those between have too many rules to tell whether they count the same packet"
    message = f"members: {one} and {other} {why}; leave one out, or accept it with a reason (accepted_overlap)"
    return MembersOverlapError(message)
