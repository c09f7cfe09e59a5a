"""All inputs of one scale, in a folder that is made once and used again until the code that makes it changes.

Owns the names of the files and the order of making. The making is a process of its own, so that its memory is not taken for that of
the programs that are measured afterwards.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.scale import SCALES, Scale

FOLDER_SETTING = "VENTURI_BENCH_DIR"
"""The variable that names the folder of inputs; without it, ``venturi-bench`` in the user's cache folder."""

TINY_FLOWS = 150
TINY_PACKETS = 1_000
"""The sizes of the captures that stand for starting up."""

FILTER_PREFIXES = 1_000


@dataclass(frozen=True)
class Inputs:
    """Where the inputs of a scale are; ``totals`` are what each export and capture holds, by the name of its file."""

    folder: Path
    scale: Scale

    def export(self, protocol: str, *, tiny: bool = False) -> Path:
        """Name the capture of an export, ``netflow-v9`` or ``ipfix``."""
        return self.folder / f"{'tiny-' if tiny else ''}{protocol}.pcap"

    def packets(self, family: int, *, tiny: bool = False) -> Path:
        """Name the capture of packets of a family."""
        return self.folder / f"{'tiny-' if tiny else ''}packets-v{family}.pcap"

    @property
    def tiny_pcapng(self) -> Path:
        """A pcapng file of one packet."""
        return self.folder / "tiny-packets.pcapng"

    def collected(self, part: str = "all") -> Path:
        """Name the nfcapd file of the flows of the NetFlow v9 capture: ``all``, the ``filtered`` part or a ``tiny`` part."""
        return self.folder / f"flows-{part}.nfcapd"

    def rules(self, family: int, count: int) -> Path:
        """Name a rules file of ``count`` labels."""
        return self.folder / f"rules-v{family}-{count}.json"

    def networks(self, family: int, count: int) -> Path:
        """Name the networks file of the same prefixes."""
        return self.folder / f"networks-v{family}-{count}.txt"

    @property
    def filter(self) -> Path:
        """A filter of many prefixes for nfdump."""
        return self.folder / f"filter-{FILTER_PREFIXES}.txt"

    def totals(self) -> dict[str, dict[str, int]]:
        """Read what the captures hold, by file name: records, packets and octets."""
        read: dict[str, dict[str, int]] = json.loads((self.folder / "totals.json").read_text(encoding="utf-8"))
        return read


def find_inputs(scale: Scale) -> Inputs:
    """Give the inputs of a scale, made by another process where they are missing."""
    folder = _base_folder() / f"{scale.name}-{_fingerprint()}"
    if not (folder / "totals.json").exists():
        for stale in _base_folder().glob(f"{scale.name}-*"):
            shutil.rmtree(stale)
        subprocess.run([sys.executable, "-m", "bench.inputs", scale.name, str(folder)], check=True)
    return Inputs(folder, scale)


def make_inputs(scale_name: str, folder: Path) -> None:
    """Make all inputs of a scale; the totals come last and say that all is there."""
    from bench.inputs.making import make_all  # noqa: PLC0415 - the measuring process stays small without numpy

    folder.mkdir(parents=True, exist_ok=True)
    make_all(Inputs(folder, SCALES[scale_name]))


def _base_folder() -> Path:
    chosen = os.environ.get(FOLDER_SETTING)
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "venturi-bench"


def _fingerprint() -> str:
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\n".join(source.read_bytes() for source in sources)).hexdigest()[:12]
