"""``python -m scripts.kernels``: compiles every kernel for any processor of this family, and packs them for this Python.

Owns the traffic by which kernels come to be compiled: one input for each decoder. Where kernels are kept, and when a packed archive
counts, is ``venturi.adapters.kernel_cache``'s affair. Run by ``scripts/build-kernels``.
"""

import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from venturi.adapters.kernel_cache import ARCHIVES, KernelCache
from venturi.adapters.kernel_cache_config import KernelCacheConfig
from venturi.config.surroundings import CACHE_SETTING

SOURCES = Path("src/venturi/core").resolve()
EXAMPLES = Path("src/venturi/examples")

IPV4 = struct.pack("!BBHIBBHII", 0x45, 0, 28, 0, 64, 17, 0, 0x0A000001, 0x0A000002)
UDP = struct.pack("!HHHH", 6343, 6343, 8, 0)
PACKET = IPV4 + UDP


def main() -> int:
    """Pack the kernels unless the archive is fresh; the exit status is 1 where one of them was not compiled."""
    with tempfile.TemporaryDirectory() as scratch:
        cache = KernelCache(KernelCacheConfig(Path(scratch) / "cache"), SOURCES)
        cache.remove_stale()
        if cache.is_packed():
            return 0
        cache.start()
        _compile(Path(scratch))
        archive, compiled = cache.pack(ARCHIVES)
    missing = _kernels() - compiled
    if missing:
        archive.unlink()
        print(
            f"build-kernels: not compiled: {', '.join(sorted(missing))}; give scripts/kernels.py traffic that needs them", file=sys.stderr
        )
    return bool(missing)


def _compile(folder: Path) -> None:
    """Meter an input of every kind, and have a table grow."""
    pcapng, sflow, sections = folder / "packet.pcapng", folder / "sflow.pcap", folder / "sections.ipfix"
    pcapng.write_bytes(_pcapng(PACKET))
    sflow.write_bytes(_pcap(_sflow(PACKET)))
    sections.write_bytes(_ipfix(PACKET))
    inputs = [EXAMPLES / "office.pcap.zst", EXAMPLES / "office.ipfix", pcapng, sflow, sections]
    environment = {**os.environ, CACHE_SETTING: str(folder / "cache")}
    for path in inputs:
        command: list[str | Path] = [sys.executable, "-m", "venturi", "meter", path, "--rules", EXAMPLES / "rules.yaml", "--quiet"]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    from venturi.core.meter.pair_counts import grown, new_pair_table  # noqa: PLC0415 - numba reads the environment when it is imported

    grown(new_pair_table(2), 4)


def _kernels() -> set[str]:
    """Name every kernel of the sources as the cache names it."""
    pattern = re.compile(r"^@kernel\ndef (\w+)", re.MULTILINE)
    return {f"{path.stem}.{name}" for path in SOURCES.rglob("*.py") for name in pattern.findall(path.read_text(encoding="utf-8"))}


def _pcap(datagram: bytes) -> bytes:
    """Make a capture of raw IP with one UDP datagram to sFlow's port."""
    length = len(PACKET) + len(datagram)
    headers = IPV4[:2] + struct.pack("!H", length) + IPV4[4:] + UDP[:4] + struct.pack("!HH", 8 + len(datagram), 0)
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 1, 0, length, length) + headers + datagram


def _pcapng(packet: bytes) -> bytes:
    """Make a capture of raw IP with one packet."""
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 101, 0, 65535, 20)
    octets = 32 + len(packet)
    return section + interface + struct.pack("<IIIIIII", 6, octets, 0, 0, 0, len(packet), len(packet)) + packet + struct.pack("<I", octets)


def _sflow(packet: bytes) -> bytes:
    """Make a datagram of sFlow 5 with one flow sample that holds a packet's header."""
    record = struct.pack("!IIIIII", 1, 16 + len(packet), 11, len(packet), 0, len(packet)) + packet
    sample = struct.pack("!IIIIIIII", 1, 3, 1, 1, 0, 1, 2, 1) + record
    return struct.pack("!IIIIIII", 5, 1, 0xC6336401, 0, 1, 1, 1) + struct.pack("!II", 1, len(sample)) + sample


def _ipfix(packet: bytes) -> bytes:
    """Make an IPFIX message whose one record is a packet's section (ipHeaderPacketSection, RFC 5477 §8.5)."""
    template = struct.pack("!HHHHHH", 2, 12, 256, 1, 313, len(packet))
    records = struct.pack("!HH", 256, 4 + len(packet)) + packet
    return struct.pack("!HHIII", 10, 16 + len(template) + len(records), 1, 0, 1) + template + records


if __name__ == "__main__":
    sys.exit(main())
