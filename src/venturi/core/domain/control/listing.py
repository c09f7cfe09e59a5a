"""What a list is asked for: filters, order and page.

Owns no names of attributes: which may be filtered or sorted by is for whoever offers the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SortKey:
    """An attribute to order by."""

    attribute: str
    ascending: bool


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Which resources of a collection are asked for, in which order, and which page of them.

    ``filters`` name for each attribute the values of which one must be met exactly; all attributes must agree.
    Resources of equal sort keys are ordered by id. ``marker`` is the id of the resource that the page comes after, or,
    with ``page_reverse``, before. ``limit`` None is no limit.
    """

    filters: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    sort: tuple[SortKey, ...] = ()
    limit: int | None = None
    marker: str | None = None
    page_reverse: bool = False
