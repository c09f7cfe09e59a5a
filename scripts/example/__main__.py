"""The command line: record the hour, export it, count both files, put them where the package keeps its examples.

Run as root from the top of the repository: ``scripts/make-example``.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import zstandard

from scripts.example.export import export
from scripts.example.plan import HOUR_SECONDS
from scripts.example.totals import write_totals
from scripts.example.traffic import record

EXAMPLES = Path("src/venturi/examples")
PROGRAMS = ("ip", "ethtool", "tcpdump", "ping", "pmacctd", "faketime", "tshark", "reordercap")
SEED = 20261124
COMPRESSION_LEVEL = 19


def main() -> int:
    """Make the example files; the exit status says whether both files count the same."""
    options = _parse()
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing or os.geteuid():
        print(f"make-example needs root and these programs: {', '.join(missing or PROGRAMS)}", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        capture = options.capture or Path(folder) / "office.pcap"
        if options.capture is None:
            record(capture, options.seed, options.duration)
        ordered = Path(folder) / "ordered.pcap"
        subprocess.run(["reordercap", str(capture), str(ordered)], check=True, capture_output=True)
        return 0 if _derive(ordered, options.output) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make-example", description="Record an hour of real traffic between namespaces, and a flow export of it."
    )
    parser.add_argument("--duration", type=float, default=HOUR_SECONDS, help="seconds in which the hour is played (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the plan (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=EXAMPLES, help="folder of the files (default: %(default)s)")
    parser.add_argument(
        "--capture", type=Path, help="an uncompressed capture that an earlier run recorded, to be used instead of a new one"
    )
    return parser.parse_args()


def _derive(capture: Path, folder: Path) -> bool:
    """Compress and export a capture that is in order of time, and count; tell whether both files count the same."""
    compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL, write_checksum=True)
    (folder / "office.pcap.zst").write_bytes(compressor.compress(capture.read_bytes()))
    datagrams = export(capture, folder / "office.ipfix")
    equal = write_totals(capture, folder / "office.ipfix", folder / "totals.json")
    verdict = "equal to the octet" if equal else "DIFFERENT"
    print(f"{folder}: {datagrams} export messages; the totals of the capture and the export are {verdict}")
    return equal


if __name__ == "__main__":
    sys.exit(main())
