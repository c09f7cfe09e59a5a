"""What a spool holds after a crash, at every write and fsync: all that it said was done, and of what was under way all or nothing."""

import tempfile
from pathlib import Path

import pytest

from tests.spool.building import contents_of, open_spool
from tests.support.crash_points.operations import Action, Operation, done_before, record_operations
from tests.support.crash_points.states import CrashState, crash_states

pytestmark = pytest.mark.needs("gcc")

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - each test makes a folder of its own there
"""Where fsync takes no time."""


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> list[Operation]:
    """Everything that a spool writes on its way through all of its steps."""
    return record_operations(Path(__file__).with_name("steps.py"), tmp_path_factory.mktemp("spool"), tmp_path_factory.mktemp("build"))


def test_a_spool_is_whole_after_a_crash_at_any_moment(operations: list[Operation]) -> None:
    marks = [line.decode() for line in done_before(operations, len(operations))]
    states = list(crash_states(operations, seed=1))
    wrong = [f"{state.kind} before operation {state.number}" for state in states if not _is_whole(state, marks)]
    assert wrong == []
    assert len(states) > len(marks)


def _is_whole(state: CrashState, marks: list[str]) -> bool:
    """Tell whether what is found is what the last step left, or the one under way; before the first, a spool need only start."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        state.lay_down(Path(folder))
        spool = open_spool(Path(folder) / "spool.db")
        contents = contents_of(spool)
        spool.stop()
    done = len(state.marks)
    return done == 0 or contents in marks[done - 1 : done + 1]


def test_a_spool_that_lies_about_its_writes_is_found_out(operations: list[Operation]) -> None:
    """Without fsync, a power cut loses what was said to be done: the states show it."""
    marks = [line.decode() for line in done_before(operations, len(operations))]
    careless = [operation for operation in operations if operation.action is not Action.SYNC or operation.name == "."]
    lost = [state for state in crash_states(careless, seed=1) if state.kind == "lost"]
    assert not all(_is_whole(state, marks) for state in lost)
