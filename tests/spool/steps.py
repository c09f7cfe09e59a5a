"""Takes a spool through all that may happen to it, in the folder that is named, and marks after each step what it then holds.

Run as a program by the test of crash points.
"""

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.spool.building import CLASSIFIER, LABELS, contents_of, moment_of, open_spool, recording_of, spooled_generation, totals_of
from tests.support.crash_points.operations import MARKS
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.values import GenerationState, LastReading, Recording

FIRST, SECOND = f"{1:032x}", f"{2:032x}"


def steps_of(spool: Spool) -> Iterator[Callable[[], object]]:
    """Give the steps: two generations, readings, batches in all their states."""
    yield lambda: spool.enter(spooled_generation(spool, 1), CLASSIFIER)
    for reading in range(1, 7):
        yield partial(spool.record, recording_of(reading, FIRST))
    yield lambda: spool.seal(1)
    yield lambda: spool.enter(spooled_generation(spool, 2), CLASSIFIER)
    yield lambda: spool.record(Recording(moment=moment_of(6), states={FIRST: GenerationState.REPLACED}))
    yield lambda: spool.acknowledge(1, 2)
    yield lambda: spool.record(recording_of(7, FIRST, GenerationState.RETIRED))
    yield lambda: spool.record(Recording(moment=moment_of(7), forgotten=[FIRST]))
    for reading in range(1, 14):
        yield partial(spool.record, recording_of(reading, SECOND))
    yield lambda: spool.seal(3)


def crowded_steps_of(spool: Spool) -> Iterator[Callable[[], object]]:
    """Give the steps of a spool that is full, is emptied, and is found rolled back."""
    for reading in range(14, 32):
        yield partial(spool.record, recording_of(reading, SECOND))
    yield lambda: spool.forget_older_than(100)
    yield lambda: spool.seal(4)
    yield lambda: spool.renew(moment_of(40), {SECOND: LastReading(moment=moment_of(40), pairs=totals_of(40))})
    yield lambda: spool.record(recording_of(41, SECOND))
    yield lambda: spool.seal(5)


def main(folder: Path) -> None:
    """Take all steps."""
    marks = os.open(folder / MARKS, os.O_WRONLY | os.O_CREAT, 0o600)
    path = folder / "spool.db"
    spool = open_spool(path)
    os.write(marks, f"{contents_of(spool)}\n".encode())
    for step in steps_of(spool):
        step()
        os.write(marks, f"{contents_of(spool)}\n".encode())
    octets = spool.size().octets
    spool.stop()
    spool = open_spool(path, limit=octets + 2 * len(LABELS.labels) * 40)
    for step in crowded_steps_of(spool):
        step()
        os.write(marks, f"{contents_of(spool)}\n".encode())
    spool.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
