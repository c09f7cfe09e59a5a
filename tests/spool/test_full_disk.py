"""A spool on a disk that fills up: nothing is lost, nothing is recorded twice, and it goes on once there is room."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.spool.building import (
    CLASSIFIER,
    counted_octets,
    interval_of,
    open_spool,
    recording_of,
    sealed_of,
    spooled_generation,
    waiting_of,
)
from venturi.adapters.spool.spool import Spool
from venturi.core.domain.agent_status import Pressure
from venturi.core.domain.errors import SpoolError, SpoolFullError
from venturi.core.ledger.recorded import RecordedInterval

pytestmark = pytest.mark.root

GENERATION = f"{1:032x}"
PLACE = interval_of(1, GENERATION).interval.place
OCTETS = 3 * 100 * 40
"""What is counted between two readings."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 5 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=5m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder: Path) -> Path:
    """Take up all room that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                return filler


def _intervals_apart(reading: int) -> list[RecordedInterval]:
    """Give intervals of many places, of a revision that no other reading has."""
    places = [PLACE, *(f"eth{number}" for number in range(30))]
    return [interval_of(reading, GENERATION, revision=reading, place=place) for place in places]


def _record_until_refused(spool: Spool, first: int) -> int:
    """Record readings of which each has a revision of its own, so that nothing can be summed, until one is refused; give its number."""
    for reading in range(first, first + 3000):
        recording = replace(recording_of(reading, GENERATION), intervals=_intervals_apart(reading))
        try:
            spool.record(recording)
        except SpoolFullError:
            return reading
    pytest.fail("the disk never was full")


def test_a_full_disk_makes_what_waits_coarser_and_then_stops_the_recording(disk: Path) -> None:
    spool = open_spool(disk / "spool.db", reserve=2 << 20)
    spool.enter(spooled_generation(spool), CLASSIFIER)
    for reading in range(1, 40):
        spool.record(recording_of(reading, GENERATION))
    filler = _fill(disk)
    for reading in range(40, 60):
        spool.record(recording_of(reading, GENERATION))
    assert spool.size().waiting < 59
    refused = _record_until_refused(spool, 60)
    assert spool.size().pressure is Pressure.FULL
    assert counted_octets(waiting_of(spool))[PLACE, GENERATION] == (refused - 1) * OCTETS
    spool.stop()

    spool = open_spool(disk / "spool.db", reserve=2 << 20)
    (found,) = spool.generations()
    assert found.last is not None
    assert found.last.pairs.octets.sum() == (refused - 1) * OCTETS
    assert counted_octets(waiting_of(spool))[PLACE, GENERATION] == (refused - 1) * OCTETS
    filler.unlink()
    spool.record(recording_of(refused, GENERATION))
    assert counted_octets(waiting_of(spool))[PLACE, GENERATION] == refused * OCTETS
    spool.stop()


def test_a_full_disk_does_not_keep_what_waits_from_being_delivered(disk: Path) -> None:
    spool = open_spool(disk / "spool.db", reserve=2 << 20)
    spool.enter(spooled_generation(spool), CLASSIFIER)
    spool.record(recording_of(1, GENERATION))
    _fill(disk)
    refused = _record_until_refused(spool, 2)
    while (sealed := spool.seal(1)) is not None:
        spool.acknowledge(sealed.sequence, 2)
    assert counted_octets(sealed_of(spool))[PLACE, GENERATION] == (refused - 1) * OCTETS
    spool.record(recording_of(refused, GENERATION))
    spool.stop()


def test_no_spool_can_be_made_on_a_full_disk(disk: Path) -> None:
    _fill(disk)
    with pytest.raises(SpoolError):
        open_spool(disk / "spool.db")
