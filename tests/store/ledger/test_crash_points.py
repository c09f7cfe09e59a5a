"""What a ledger on SQLite holds after a crash, at every write and fsync: what it acknowledged, once, and all or nothing of the rest."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.store.ledger.crash_steps import contents_of, ledger_url, sealed_batches
from tests.support.crash_points.operations import MARKS, Action, Operation, done_before, record_operations
from tests.support.crash_points.states import CrashState, crash_states
from tests.support.databases import open_store
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.proving.proof import prove_ledger

pytestmark = pytest.mark.needs("gcc")

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - each test makes a folder of its own there
"""Where fsync takes no time."""

_OF_HELD = {0: (0, 0, 0, 0), 2: (1, 2, 2, 2), 3: (2, 3, 3, 3), 4: (3, 3, 3, 3)}
"""Postings, intervals, totals and usage of the steps about what is held, by how many entries say that something is held or decided."""


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> list[Operation]:
    """Everything that a ledger writes from its making on."""
    program = Path(__file__).with_name("crash_steps.py")
    return record_operations(program, tmp_path_factory.mktemp("ledger"), tmp_path_factory.mktemp("build"))


def test_a_ledger_is_whole_after_a_crash_at_any_moment(operations: list[Operation]) -> None:
    marks = _marks(operations)
    distinct: dict[str, CrashState] = {}
    wrong = []
    for state in _posting_states(operations):
        contents = _recover(state)
        distinct.setdefault(contents, state)
        if contents not in marks[len(state.marks) - 1 : len(state.marks) + 1]:
            wrong.append(f"{state.kind} before operation {state.number}")
    assert wrong == []
    assert distinct.keys() == set(marks)
    for state in distinct.values():
        _post_again(state)


def test_a_ledger_that_lies_about_its_writes_is_found_out(operations: list[Operation]) -> None:
    """Without fsync, a power cut loses what was acknowledged: the states show it."""
    marks = _marks(operations)
    first = next(number for number, operation in enumerate(operations) if operation.name == MARKS)
    careless = [
        operation
        for number, operation in enumerate(operations)
        if number < first or operation.action is not Action.SYNC or operation.name == "."
    ]
    lost = [state for state in _posting_states(careless) if state.kind == "lost"]
    assert not all(_recover(state) in marks[len(state.marks) - 1 : len(state.marks) + 1] for state in lost)


def _marks(operations: Sequence[Operation]) -> list[str]:
    return [line.decode() for line in done_before(operations, len(operations))]


def _posting_states(operations: Sequence[Operation]) -> list[CrashState]:
    """List the states after crashes since the ledger was made."""
    return [state for state in crash_states(operations, seed=1) if state.marks]


def _recover(state: CrashState) -> str:
    """Tell what is found by whoever opens the ledger next."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        state.lay_down(Path(folder))
        return contents_of(ledger_url(Path(folder)))


def _post_again(state: CrashState) -> None:
    """Post what an agent would that does not know what arrived: everything is there once then, and proves to be."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        state.lay_down(Path(folder))
        url = ledger_url(Path(folder))
        prove_ledger(url)
        with open_store(url) as store:
            ledger = LedgerOfTests(store)
            ledger.post(*sealed_batches())
            ledger.post(*reversed(sealed_batches()))
            *counts, corrections, held, project_usage = ledger.counts_of_rows()
            besides = _OF_HELD[held]
            postings, *entries = (count - more for count, more in zip(counts, besides, strict=True))
            assert (postings - corrections, *entries, project_usage) == (5, 5, 10, 10, 10), state.number
            assert ledger.spool(sealed_batches()[0].spool_id) == (5, [])
        prove_ledger(url)
