"""How far something has come that takes its time, as those hear it who show it.

Owns the way of telling. What is shown of it is for the outputs.
"""

from typing import Protocol


class Progress(Protocol):
    """Hears how far the work is; what is counted (octets, rows, postings) is agreed upon with whoever shows it."""

    def begin(self, name: str, whole: int | None) -> None:
        """Begin with a part of the work, of ``whole`` in all, None where that is not known."""

    def update(self, done: int) -> None:
        """Say how much of the part is done in all."""


class Unheard:
    """Progress that nobody hears."""

    def begin(self, name: str, whole: int | None) -> None:
        """Let a part of the work begin."""

    def update(self, done: int) -> None:
        """Let it go on."""


UNHEARD = Unheard()
