"""What the eBPF driver can be told.

Owns the settings and their defaults alone.
"""

from dataclasses import dataclass
from pathlib import Path

from venturi.core.domain.generation import Segments

LAYOUT_VERSIONS = ("1",)
"""The versions of the layout of pins, records and maps; a new one comes first, and the older ones stay while hosts may have them."""

PROGRAM_FILE = Path(__file__).with_name("meter.bpf.o")
"""The compiled programs of this package; missing where it was built without clang."""


@dataclass(frozen=True, kw_only=True)
class EbpfConfig:
    """Settings of the eBPF driver.

    Pins lie below ``bpffs``, a mounted BPF file system; ``mount_bpffs`` mounts one there if there is none. ``segments`` is how
    super-packets are counted. ``array_pairs`` is the number of class pairs of a generation up to which each has a place of its own; sets
    of more are hashed, with room for ``hashed_pairs`` pairs that occur. ``tcx`` False takes clsact filters for the tc hook, as before
    Linux 6.6. ``program_file`` holds the compiled programs. Generations are made in the first of ``layout_versions``; those of the others
    are found, read to their last totals and retired.
    """

    bpffs: Path = Path("/sys/fs/bpf")
    mount_bpffs: bool = False
    segments: Segments = Segments.WIRE
    array_pairs: int = 262_144
    hashed_pairs: int = 65_536
    tcx: bool = True
    program_file: Path = PROGRAM_FILE
    layout_versions: tuple[str, ...] = LAYOUT_VERSIONS
