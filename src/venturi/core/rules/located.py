"""Values with the line that they stand on, places, and the problems found there.

Owns where something is said, so that every complaint about a rules file names file, line and field.
What is right or wrong is decided elsewhere; parsing text belongs to the adapters.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

MAXIMUM_PROBLEMS = 20
"""How many problems of a reading are kept; the rest are only counted."""


NO_LINE = 0
"""The line of a value that was read in haste; whoever finds a problem there reads the document again."""


class Located(NamedTuple):
    """A scalar, a list or a mapping of a document, and the line (from 1) that it starts on, or ``NO_LINE``."""

    value: "Plain"
    line: int


Plain = None | bool | int | float | str | list[Located] | dict[str, Located]
"""What a document can say: scalars, and lists and mappings of located values."""


@dataclass(frozen=True)
class LocatedDocument:
    """The root value of a file, with the name by which to speak of the file."""

    name: str
    root: Located


class Place(NamedTuple):
    """A line (from 1) of a file and the path of the field there, empty for the whole file."""

    file: str
    line: int
    field: str

    def __str__(self) -> str:
        """Spell the place as the start of a sentence."""
        return f"{self.file}:{self.line}: field '{self.field}'" if self.field else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Problem:
    """What is wrong at a place."""

    place: Place
    sentence: str

    def __str__(self) -> str:
        """Spell place and sentence."""
        return f"{self.place}: {self.sentence}"


@dataclass
class Problems:
    """The problems of a reading: the first ``MAXIMUM_PROBLEMS`` of them, and how many there are."""

    kept: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, place: Place, sentence: str) -> None:
        """Note a problem."""
        self.count += 1
        if len(self.kept) < MAXIMUM_PROBLEMS:
            self.kept.append(Problem(place, sentence))


class Cursor(NamedTuple):
    """A located value within its file, with the path that leads to it (``labels[3].rules[0]``)."""

    file: str
    path: str
    node: Located

    @property
    def place(self) -> Place:
        """Where the value stands."""
        return Place(self.file, self.node.line, self.path)

    def entry(self, name: str, node: Located) -> "Cursor":
        """Step into the entry ``name`` of a mapping."""
        return Cursor(self.file, f"{self.path}.{name}" if self.path else name, node)

    def elements(self, problems: Problems) -> "list[Cursor]":
        """Step into each element of a list; notes a problem and gives none where the value is no list."""
        if not isinstance(self.node.value, list):
            problems.add(self.place, f"a list is expected, not {describe_kind(self.node.value)}")
            return []
        return [Cursor(self.file, f"{self.path}[{i}]", node) for i, node in enumerate(self.node.value)]

    def mapping(self, problems: Problems) -> dict[str, Located]:
        """Give the entries of a mapping; notes a problem and gives none where the value is no mapping."""
        if not isinstance(self.node.value, dict):
            problems.add(self.place, f"a mapping is expected, not {describe_kind(self.node.value)}")
            return {}
        return self.node.value


def describe_kind(value: Plain) -> str:
    """Name the kind of a value in words."""
    if value is None:
        return "nothing"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, bool):
        return "a truth value"
    return "a text" if isinstance(value, str) else "a number"
