"""The clocks of this host, the boot that they run in, and processes told from others that had their number before.

Owns which clocks are meant, and what tells processes apart. What readings of clocks come to is for whoever looks.
"""

import time
from pathlib import Path

from venturi.adapters.edges import KERNEL_EDGE
from venturi.core.meter.readings.timeline import BothClocks

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_START_TIME = 19
"""The place of the start time among the fields of proc_pid_stat(5) that follow the name."""


def look_at_clocks() -> BothClocks:
    """Show the wall clock, and the monotonic one that goes on while the host is suspended, too (``CLOCK_BOOTTIME``, clock_gettime(2))."""
    return BothClocks(time.time_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))


@KERNEL_EDGE.function
def boot_id() -> str:
    """Give the random identity of this boot (random(4))."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def tell_process(process: int) -> str:
    """Give what no other process ever has: the boot and the time of its start; "" where there is no process of that number."""
    try:
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return f"{boot_id()} {fields[_START_TIME].decode('ascii')}"
