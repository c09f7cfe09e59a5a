"""Records readings and delivers them, from where its spool left off: until it is killed, or all have arrived.

Run as a program by the test of killed agents, with the file of the spool, the URL of the ledger and the number of readings.
"""

import sys
import time
from pathlib import Path

from tests.delivery.delivering import delivering, wait_for
from tests.spool.building import CLASSIFIER, moment_of, open_spool, recording_of, spooled_generation
from venturi.adapters.spool.spool import Spool
from venturi.services.agent.delivery.state import DeliveryPhase

GENERATION = f"{1:032x}"


def next_reading(spool: Spool) -> int:
    """Find the reading after the last that is recorded, and enter the generation if none is."""
    for spooled in spool.generations():
        last = spooled.last
        return 1 if last is None else (last.moment.wall - moment_of(0).wall) // (moment_of(1).wall - moment_of(0).wall) + 1
    spool.enter(spooled_generation(spool), CLASSIFIER)
    return 1


def main(path: Path, url: str, readings: int) -> None:
    """Make so many readings more, and wait until they have arrived."""
    spool = open_spool(path, batch_rows=100)
    with delivering(spool, url) as delivery:
        first = next_reading(spool)
        for reading in range(first, first + readings):
            spool.record(recording_of(reading, GENERATION))
            delivery.wake()
            time.sleep(0.001)
        delivery.wake()
        wait_for(lambda: spool.size().waiting == 0 and delivery.state.phase is DeliveryPhase.IDLE)
    spool.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
