"""Agents that are killed while they record and deliver, over a bad network: every reading arrives, and none twice."""

import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path
from random import Random

from tests.delivery.metering import next_reading
from tests.delivery.posting_ledger import Fault, PostingLedger, posting_ledger
from tests.spool.building import BEGIN, READING, open_spool
from tests.support.sources import ROOT

KILLS = 8
_ENDLESS = 1 << 40
"""More readings than an agent of this test makes."""
FAULTS = (Fault.NONE, Fault.UNANSWERED, Fault.NONE, Fault.TRUNCATED, Fault.LOST, Fault.NONE)


def test_every_reading_of_a_killed_agent_arrives_once(tmp_path: Path) -> None:
    chance = Random(11)  # noqa: S311 - to be repeated
    with posting_ledger(cycle(FAULTS)) as ledger:
        for _ in range(KILLS):
            _meter_until_killed(tmp_path / "spool.db", ledger, chance)
        subprocess.run(_command(tmp_path / "spool.db", ledger, 20), cwd=ROOT, check=True, timeout=60)
        bounds = _bounds(ledger)
    spool = open_spool(tmp_path / "spool.db")
    last = next_reading(spool) - 1
    spool.stop()
    assert bounds == [(reading - 1, reading) for reading in range(1, last + 1)]
    assert last > 20 + KILLS


def _meter_until_killed(spool: Path, ledger: PostingLedger, chance: Random) -> None:
    """Kill an agent some time after its first batch arrived."""
    posted = len(ledger.requests)
    with subprocess.Popen(_command(spool, ledger, _ENDLESS), cwd=ROOT) as process:
        while len(ledger.requests) < posted + 2:
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.15))
        process.kill()


def _command(spool: Path, ledger: PostingLedger, readings: int) -> list[str]:
    return [sys.executable, "-m", "tests.delivery.metering", str(spool), ledger.url, str(readings)]


def _bounds(ledger: PostingLedger) -> list[tuple[int, int]]:
    """List the readings between which the intervals that were posted lie."""
    intervals = [interval for batch in ledger.batches() for interval in batch.intervals]
    return sorted(((interval.start - BEGIN) // READING, (interval.end - BEGIN) // READING) for interval in intervals)
