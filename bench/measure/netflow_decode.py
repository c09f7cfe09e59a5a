"""``python -m bench.measure.netflow_decode CAPTURE RECORDS``: PyPI ``netflow`` decoding datagrams that are already in memory.

Owns nothing but the loop; prints its own seconds as JSON, so that reading the capture and starting Python do not count.
"""

import json
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import netflow

from bench.inputs.datagrams import read_datagrams


def decode(datagrams: list[bytes]) -> int:
    """Decode datagrams in order, templates kept; give the number of flow records."""
    templates: dict[str, dict[int, Any]] = {"netflow": {}, "ipfix": {}}
    records = 0
    for datagram in datagrams:
        records += len(netflow.parse_packet(datagram, templates).flows)
    return records


def main(capture: str, datagram_count: str) -> None:
    """Decode the first datagrams of a capture and print how long it took."""
    datagrams = list(islice(read_datagrams(Path(capture)), int(datagram_count)))
    began, cpu_began = time.perf_counter(), time.process_time()
    records = decode(datagrams)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    print(json.dumps({"records": records, "wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
