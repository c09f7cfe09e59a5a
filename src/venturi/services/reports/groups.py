"""Groups: what rows of a report are told apart by, made of the versions that sums name.

Owns that versions of one label or point are one group, under its latest name, and which points a group's coverage is that of.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple

from venturi.adapters.store.usage.versions import LabelOwner, LabelVersion, PointVersion
from venturi.core.domain.direction import Direction
from venturi.services.reports.request import Grouping

_DIRECTIONS: dict[int, Direction] = {direction.code: direction for direction in Direction}


class Scope(NamedTuple):
    """The points at which what a group counts can have passed; None does not restrict.

    ``project_id`` is the project of labels that are not shared: they apply at its points and at shared ones.
    """

    project_id: str | None = None
    point_id: str | None = None
    point_project_id: str | None = None
    boundary: str | None = None

    def holds(self, point: PointVersion) -> bool:
        """Tell whether a point is among them."""
        return (
            (self.project_id is None or point.shared or point.project_id == self.project_id)
            and (self.point_id is None or point.point_id == self.point_id)
            and (self.point_project_id is None or point.project_id == self.point_project_id)
            and (self.boundary is None or point.boundary == self.boundary)
        )


EVERYWHERE = Scope()
"""The scope that restricts nothing."""


class RowKind(StrEnum):
    """What a row is of: a group, all groups of a boundary that are not told apart, or all that its points counted, each packet once."""

    GROUP = "group"
    OTHERS = "others"
    TOTAL = "total"


_KINDS = tuple(RowKind)

Identity = tuple[str | bool | None, ...]
"""What tells groups apart from report to report, but for the direction: label, project, point, project of the point, boundary."""


@dataclass(frozen=True, slots=True)
class Group:
    """What a row is about; None where the report does not tell it apart, but the boundary, which every row has.

    ``shared`` tells whether it is about shared labels, which is never told of a label. Groups with equal scopes have the same one.
    """

    label: LabelVersion | None = None
    project_id: str | None = None
    point: PointVersion | None = None
    point_project_id: str | None = None
    direction: Direction | None = None
    boundary: str | None = None
    shared: bool | None = None
    scope: Scope = field(default=EVERYWHERE, compare=False)
    kind: RowKind = RowKind.GROUP

    @property
    def identity(self) -> Identity:
        """Tell it apart from others, whatever the direction."""
        label, point = self.label and self.label.label_id, self.point and self.point.point_id
        return label, self.project_id, self.shared, point, self.point_project_id, self.boundary

    @property
    def spelled(self) -> str:
        """Its names, for their order."""
        named = self.label and self.label.name, self.project_id, self.point and self.point.name, self.point_project_id
        return " ".join(filter(None, named))


class Groups:
    """Finds the group of a row of sums; each group is made once.

    A report whose labels or points are all of one project, or whose points are all of one boundary, needs no column to tell it, so that
    the database sums far fewer rows. Points of several boundaries are always told apart: they may have seen the same packets. So are
    shared labels, where sums are of owners.
    """

    def __init__(
        self,
        group_by: Sequence[Grouping],
        labels: Sequence[LabelVersion] = (),
        points: Sequence[PointVersion] = (),
        owners: Sequence[LabelOwner] | None = None,
        largest: Mapping[Identity, int] | None = None,
        directions: frozenset[Direction] | None = None,
    ) -> None:
        """Tell apart by ``group_by``; where ``owners`` are given, sums name these instead of labels, which are not told apart.

        Of ``largest``, the groups that are told apart and their places, all others of a boundary are one group for each direction.
        """
        self._largest = largest
        self._directions = None if directions is None else frozenset(direction.code for direction in directions)
        holders: Sequence[LabelVersion | LabelOwner] = labels if owners is None else owners
        self._group_by = frozenset(group_by)
        self._labels = {label.version: label for label in labels}
        self._owners = {holder.owner: holder for holder in holders}
        self._label_column = "label_version" if owners is None else "owner"
        self._points = {point.version: point for point in points}
        self._latest_labels = {label.label_id: label for label in self._labels.values()}
        self._latest_points = {point.point_id: point for point in self._points.values()}
        kinds = {owner.shared for owner in owners or ()}
        self._shared = kinds.pop() if len(kinds) == 1 else None
        self._kinds_apart = bool(kinds) and self._shared is None
        self._sharing = {holder.project_id for holder in holders if holder.shared}
        self._project = _only_project(holders) if Grouping.PROJECT in self._group_by else None
        self._point_project = _only_project(self._points.values()) if Grouping.POINT_PROJECT in self._group_by else None
        boundaries = {point.boundary for point in self._points.values()}
        self._boundary = boundaries.pop() if len(boundaries) == 1 else None
        self.columns = tuple(self._columns())
        """The columns of sums by which a group is found."""
        self.made: list[Group] = []
        """The groups that were found, by their numbers."""
        self.scopes: list[Scope] = []
        """The scopes of groups."""
        self.scope_of: list[int] = []
        """Which of ``scopes`` each group has."""
        self._known: dict[Any, int] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._scopes: dict[Scope, int] = {}

    def choose(self, rows: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Give the rows of sums that are of the directions that the report is about."""
        if self._directions is None:
            return list(rows)
        place = 1 + self.columns.index("direction")
        return [row for row in rows if row[place] in self._directions]

    def find(self, rows: Sequence[tuple[int, ...]]) -> list[int]:
        """Give the numbers of the groups of rows of sums, whose first value is a time; those of ``columns`` follow."""
        columns = range(1, 1 + len(self.columns))
        keys: list[Any] = list(map(itemgetter(*columns), rows)) if columns else [None] * len(rows)
        for key in dict.fromkeys(keys):
            if key not in self._known:
                self._add(key)
        return list(map(self._known.__getitem__, keys))

    def _add(self, key: Any) -> None:  # noqa: ANN401 - the values of ``columns``, or of the only one
        values = key if len(self.columns) > 1 else (key,) * len(self.columns)
        made = self._make(dict(zip(self.columns, values, strict=True)))
        if self._largest is not None and made.identity not in self._largest:
            made = self._of_boundary(RowKind.OTHERS, made.direction, made.boundary)
        self._known[key] = self._number(made)

    def _number(self, made: Group) -> int:
        of_point = id(made.point), made.point_project_id, made.direction, made.boundary
        told_apart = id(made.label), made.project_id, made.shared, *of_point, made.kind
        number = self._numbers.setdefault(told_apart, len(self.made))
        if number == len(self.made):
            self.made.append(made)
            self.scope_of.append(self._scopes[made.scope])
        return number

    def _of_boundary(self, kind: RowKind, direction: Direction | None, boundary: str | None) -> Group:
        scope = self._share(Scope(boundary=boundary if self._boundary is None else None))
        return Group(direction=direction, boundary=boundary, scope=scope, kind=kind)

    @property
    def ranked(self) -> bool:
        """Whether only the largest groups are told apart."""
        return self._largest is not None

    def find_total(self, point_version: int, direction: int) -> int:
        """Give the number of the total of the boundary that a point is of, in a direction if the report tells these apart."""
        told = _DIRECTIONS[direction] if Grouping.DIRECTION in self._group_by else None
        return self._number(self._of_boundary(RowKind.TOTAL, told, self._points[point_version].boundary))

    def order(self, number: int) -> tuple[object, ...]:
        """Give what rows are ordered by where only the largest are told apart: by boundary the largest, the others, the total."""
        group = self.made[number]
        places = self._largest or {}
        place = places.get(group.identity, 0) if group.kind is RowKind.GROUP else len(places) + _KINDS.index(group.kind)
        return group.boundary or "", place, "" if group.direction is None else group.direction.value

    def _columns(self) -> Iterator[str]:
        by_project = Grouping.PROJECT in self._group_by and self._project is None
        if Grouping.LABEL in self._group_by or by_project or self._kinds_apart:
            yield self._label_column
        of_projects = Grouping.POINT_PROJECT in self._group_by and self._point_project is None
        if Grouping.POINT in self._group_by or of_projects or self._boundary is None:
            yield "point_version"
        if Grouping.DIRECTION in self._group_by or self._directions is not None:
            yield "direction"

    def _make(self, key: dict[str, int]) -> Group:
        label = self._labels[key["label_version"]] if "label_version" in key else None
        point = self._points[key["point_version"]] if "point_version" in key else None
        owner = self._owners[key["owner"]] if "owner" in key else None
        by_project = Grouping.PROJECT in self._group_by
        project_id = label.project_id if label else owner.project_id if owner and by_project else self._project
        point_project_id = point.project_id if point and {Grouping.POINT, Grouping.POINT_PROJECT} & self._group_by else self._point_project
        boundary = point.boundary if point else self._boundary
        latest_label = self._latest_labels[label.label_id] if label and Grouping.LABEL in self._group_by else None
        latest_point = self._latest_points[point.point_id] if point and Grouping.POINT in self._group_by else None
        shared = owner.shared if owner else self._shared
        everywhere = latest_label.shared if latest_label else (project_id in self._sharing if shared is None else shared)
        of_boundary = boundary if self._boundary is None else None
        scope = Scope(None if everywhere else project_id, latest_point and latest_point.point_id, point_project_id, of_boundary)
        return Group(
            label=latest_label,
            project_id=project_id,
            point=latest_point,
            point_project_id=point_project_id,
            direction=_DIRECTIONS[key["direction"]] if Grouping.DIRECTION in self._group_by else None,
            boundary=boundary,
            shared=shared,
            scope=self._share(scope),
        )

    def _share(self, scope: Scope) -> Scope:
        """Give the scope that all groups with an equal one have."""
        number = self._scopes.setdefault(scope, len(self.scopes))
        if number == len(self.scopes):
            self.scopes.append(scope)
        return self.scopes[number]


def _only_project(versions: Iterable[LabelVersion | LabelOwner | PointVersion]) -> str | None:
    projects = {version.project_id for version in versions}
    return projects.pop() if len(projects) == 1 else None
