"""Supervisors of threads for tests: one that expects no failure, and one that keeps what it was told."""

from dataclasses import dataclass, field

import pytest

from tests.spool.building import LOG
from venturi.adapters.threads.supervisor import ONCE, Patience, Supervisor, ThreadFailure

HASTY = Patience(first_pause=0.001, longest_pause=0.01)


def unexpected_supervisor() -> Supervisor:
    """Give a supervisor to whom a failure is one of the test."""
    return Supervisor(LOG, lambda _: None, _never, ONCE)


@dataclass
class Told:
    """What a supervisor told: failures, and how often the program was to end."""

    failures: list[ThreadFailure] = field(default_factory=list)
    ends: int = 0

    def supervisor(self, patience: Patience = HASTY) -> Supervisor:
        """Give a supervisor that tells this."""
        return Supervisor(LOG, self.failures.append, self.end, patience)

    def end(self) -> None:
        self.ends += 1


def _never() -> None:
    pytest.fail("a thread failed")
