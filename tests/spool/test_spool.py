"""What a spool keeps, and from whom it keeps itself."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from tests.spool.building import (
    CLASSIFIER,
    DEVICE,
    READING,
    contents_of,
    interval_of,
    moment_of,
    open_spool,
    recording_of,
    spooled_generation,
    totals_of,
    waiting_of,
)
from tests.support.sources import ROOT
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.tables.schema import APPLICATION_ID
from venturi.adapters.spool.values import GenerationState, LastReading, Recording
from venturi.core.domain.agent_status import Pressure
from venturi.core.domain.errors import SpoolError, SpoolFullError, SpoolInUseError
from venturi.core.domain.generation import Generation

GENERATION = f"{1:032x}"


def metering_spool(path: Path, *, readings: int = 0, limit: int = 1 << 30) -> Spool:
    """Give a spool with one generation and some readings."""
    spool = open_spool(path, limit=limit)
    spool.enter(spooled_generation(spool), CLASSIFIER)
    for reading in range(1, readings + 1):
        spool.record(recording_of(reading, GENERATION))
    return spool


def test_what_was_recorded_is_found_by_the_next_process(tmp_path: Path) -> None:
    spool = metering_spool(tmp_path / "spool.db", readings=2)
    before = contents_of(spool)
    spool.stop()
    spool = open_spool(tmp_path / "spool.db")
    (found,) = spool.generations()
    assert contents_of(spool) == before
    assert (found.state, found.metered, found.point.name, found.revision) == (GenerationState.COUNTING, DEVICE, "uplink", 7)
    assert found.last is not None
    assert [column.tolist() for column in found.last.pairs] == [column.tolist() for column in totals_of(2)]
    assert spool.classifier(found.generation.digest) == CLASSIFIER
    assert waiting_of(spool) == [interval_of(1, GENERATION), interval_of(2, GENERATION)]
    spool.stop()


def test_a_recording_that_fails_leaves_nothing(tmp_path: Path) -> None:
    spool = metering_spool(tmp_path / "spool.db", readings=1)
    before = contents_of(spool)
    unknown = replace(recording_of(2, GENERATION), readings={"unknown": LastReading(moment=moment_of(2), pairs=totals_of(2))})
    with pytest.raises(SpoolError, match="FOREIGN KEY"):
        spool.record(unknown)
    assert contents_of(spool) == before
    spool.stop()


def test_a_classifier_leaves_with_the_last_generation_that_counted_by_it(tmp_path: Path) -> None:
    spool = metering_spool(tmp_path / "spool.db", readings=1)
    first = spooled_generation(spool)
    again = replace(first, generation=Generation(id=f"{2:032x}", spool_id=spool.spool_id, digest=first.generation.digest))
    spool.enter(again, CLASSIFIER)
    spool.record(Recording(moment=moment_of(2), forgotten=[GENERATION]))
    assert spool.classifier(first.generation.digest) == CLASSIFIER
    spool.record(Recording(moment=moment_of(2), forgotten=[again.generation.id]))
    with pytest.raises(SpoolError, match="knows no classifier"):
        spool.classifier(first.generation.digest)
    assert waiting_of(spool) == [interval_of(1, GENERATION)]
    spool.stop()


@pytest.mark.parametrize("twice", [False, True], ids=["once", "opened twice before"])
def test_a_second_process_is_refused(tmp_path: Path, twice: bool) -> None:
    spool = metering_spool(tmp_path / "spool.db")
    if twice:
        with pytest.raises(SpoolInUseError):
            open_spool(tmp_path / "spool.db")
    program = f"from pathlib import Path; from tests.spool.building import open_spool; open_spool(Path({str(tmp_path / 'spool.db')!r}))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "SpoolInUseError: another process meters with the spool" in answer.stderr
    spool.stop()


def test_what_is_no_spool_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    for name, statements in {
        "other": "CREATE TABLE t (a)",
        "later": f"PRAGMA application_id={APPLICATION_ID};PRAGMA user_version=2",
    }.items():
        connection = dbapi2.connect(str(tmp_path / name))
        connection.executescript(statements)
        connection.close()
    open_spool(tmp_path / "foreign").stop()
    connection = dbapi2.connect(str(tmp_path / "foreign"))
    connection.executescript("UPDATE spool SET agent_id = 'somebody'")
    connection.close()
    refusals = {"text": "is no spool", "other": "but no spool", "later": "layout 2", "foreign": "belongs to agent somebody"}
    for name, sentence in refusals.items():
        with pytest.raises(SpoolError, match=sentence):
            open_spool(tmp_path / name)


def test_a_folder_that_cannot_hold_a_spool_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="cannot be opened"):
        open_spool(tmp_path / "file" / "spool.db")


def test_a_closed_spool_says_so(tmp_path: Path) -> None:
    spool = metering_spool(tmp_path / "spool.db")
    spool.stop()
    with pytest.raises(SpoolError, match="is closed"):
        spool.head()


def test_acknowledged_batches_stay_for_a_while(tmp_path: Path) -> None:
    spool = metering_spool(tmp_path / "spool.db", readings=1)
    spool.seal(1)
    assert spool.undelivered(1) == [1]
    spool.acknowledge(1, 100)
    assert (spool.undelivered(1), spool.undelivered(0), spool.undelivered(1, [(1, 1)])) == ([], [1], [1])
    assert spool.forget_older_than(100) == 0
    assert spool.forget_older_than(101) == 1
    assert (spool.undelivered(0), spool.batch(1), spool.head().sequence) == ([], None, 1)
    spool.stop()


def test_a_damaged_batch_is_not_sent(tmp_path: Path) -> None:
    spool = metering_spool(tmp_path / "spool.db", readings=1)
    spool.seal(1)
    with spool._database.transaction() as connection:
        connection.execute("UPDATE batches SET previous = zeroblob(31)")
    with pytest.raises(SpoolError, match="not as it was sealed"):
        spool.batch(1)
    spool.stop()


def test_a_full_spool_coalesces_what_waits_before_it_refuses_anything(tmp_path: Path) -> None:
    spool = metering_spool(tmp_path / "spool.db", readings=150)
    octets = spool.size().octets
    spool.stop()
    spool = open_spool(tmp_path / "spool.db", limit=octets)
    met = []
    for reading in range(151, 190):
        spool.record(recording_of(reading, GENERATION))
        met.append(spool.size().pressure)
    assert met[0] is Pressure.NONE
    assert Pressure.COALESCED in met
    waiting = [entry.interval for entry in waiting_of(spool)]
    assert sum(total.octets for interval in waiting for total in interval.totals) == 189 * 3 * 100 * 40
    assert {interval.end - interval.start for interval in waiting} >= {6 * READING}
    spool.stop()
    spool = open_spool(tmp_path / "spool.db", limit=4096)
    reading = next(reading for reading in range(190, 200) if not _is_recorded(spool, reading))
    assert spool.size().pressure is Pressure.FULL
    octets = sum(total.octets for entry in waiting_of(spool) for total in entry.interval.totals)
    assert octets == (reading - 1) * 3 * 100 * 40
    (found,) = spool.generations()
    assert found.last is not None
    assert found.last.moment == moment_of(reading - 1)
    spool.stop()


def _is_recorded(spool: Spool, reading: int) -> bool:
    """Record a reading that cannot be summed with any other, and tell whether there was room for it."""
    try:
        spool.record(replace(recording_of(reading, GENERATION), intervals=[interval_of(reading, GENERATION, revision=reading)]))
    except SpoolFullError:
        return False
    return True


def test_a_crowd_of_acknowledged_batches_gives_way_before_any_distribution_over_time(tmp_path: Path) -> None:
    spool = metering_spool(tmp_path / "spool.db")
    for reading in range(1, 200):
        spool.record(recording_of(reading, GENERATION))
        sealed = spool.seal(reading)
        assert sealed is not None
        spool.acknowledge(sealed.sequence, reading)
    octets = spool.size().octets
    spool.stop()
    spool = open_spool(tmp_path / "spool.db", limit=octets - 4096)
    spool.record(recording_of(200, GENERATION))
    size = spool.size()
    assert (size.pressure, size.waiting, size.waiting_since) == (Pressure.SHORTENED, 1, moment_of(199).wall)
    assert 0 < size.acknowledged < 199
    spool.stop()
