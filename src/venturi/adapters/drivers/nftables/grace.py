"""The grace period: until every packet has passed that was on its way when rules changed.

Owns the one system call for it. Packets pass in RCU read-side sections, and ``membarrier`` waits until those that had begun have ended.
"""

import ctypes
import platform
import time

_SYSTEM_CALLS = {"x86_64": 324, "aarch64": 283, "riscv64": 283, "loongarch64": 283, "ppc64le": 365, "s390x": 356}
_GLOBAL = 1
_PATIENCE_SECONDS = 0.1


def wait_for_packets_on_their_way() -> None:
    """Wait a grace period; where the kernel offers none to programs, wait far longer than any packet is on its way."""
    number = _SYSTEM_CALLS.get(platform.machine())
    if number is None or ctypes.CDLL(None).syscall(number, _GLOBAL, 0, 0) != 0:
        time.sleep(_PATIENCE_SECONDS)
