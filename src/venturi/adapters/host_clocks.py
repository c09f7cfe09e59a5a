"""The clocks of this host, and the boot that they run in.

Owns which clocks are meant. What their readings come to is for whoever looks.
"""

import time
from pathlib import Path

from venturi.adapters.edges import KERNEL_EDGE
from venturi.core.meter.readings.timeline import BothClocks

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def look_at_clocks() -> BothClocks:
    """Show the wall clock, and the monotonic one that goes on while the host is suspended, too (``CLOCK_BOOTTIME``, clock_gettime(2))."""
    return BothClocks(time.time_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))


@KERNEL_EDGE.function
def boot_id() -> str:
    """Give the random identity of this boot (random(4))."""
    return _BOOT_ID.read_text(encoding="ascii").strip()
