"""Which columns are shown, and in which order resources stand.

Owns the reading of column names as people write them. How a cell is spelled belongs to ``cells``.
"""

from collections.abc import Iterable, Mapping, Sequence

from venturi.core.domain.errors import InvalidRequestError

Row = Mapping[str, object]
"""A resource by the names of its columns."""


def choose_columns(asked: Sequence[str], known: Sequence[str], unasked: Sequence[str]) -> tuple[str, ...]:
    """Give the columns ``asked`` for among those ``known``, or ``unasked`` where none is; raises ``InvalidRequestError`` for another name.

    ``Project ID`` is read as ``project_id``, the name on the wire, and so is ``project``, the heading of a table.
    """
    chosen = tuple(_on_the_wire(name.strip().lower().replace(" ", "_"), known) for name in asked)
    for name, written in zip(chosen, asked, strict=True):
        if name not in known:
            message = f"there is no column '{written}': there are {', '.join(known)}"
            raise InvalidRequestError(message)
    return chosen or tuple(unasked)


def _on_the_wire(name: str, known: Sequence[str]) -> str:
    return next((spelled for spelled in (name, f"{name}_id", f"{name}_at") if spelled in known), name)


def sort_rows(rows: Iterable[Row], columns: Sequence[str]) -> list[Row]:
    """Order rows by ``columns``, the first one first: numbers by value, what is absent last; without columns as they are."""
    ordered = list(rows)
    for column in reversed(columns):
        ordered.sort(key=lambda row: _rank(row.get(column)))
    return ordered


def _rank(value: object) -> tuple[int, float, str]:
    if value is None:
        return 2, 0, ""
    if isinstance(value, int | float):
        return 0, value, ""
    return 1, 0, str(value)
