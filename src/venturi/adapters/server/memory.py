"""How the C library and the interpreter keep memory that is free again, and how often threads take turns.

Owns two settings of glibc's allocator (mallopt(3)), its trimming (malloc_trim(3)), and the interpreter's collector and switch interval;
another C library is left as it is.
"""

import ctypes
import gc
import sys

_TRIM_THRESHOLD = -1
_MOST_ARENAS = -8
_KEPT_OCTETS = 128 * 1024
_SWITCH_SECONDS = 0.001
_COLLECTOR_THRESHOLDS = (20_000, 20, 125)


def give_back_memory() -> None:
    """Have freed memory returned to the system: one arena for all threads, which the interpreter runs one at a time anyway.

    Otherwise each thread that ever answered a large request holds on to the memory of it.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MOST_ARENAS, 1)
        set_option(_TRIM_THRESHOLD, _KEPT_OCTETS)


def trim_memory() -> None:
    """Return to the system what is free between what is not; takes milliseconds, during which other threads go on."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def share_interpreter() -> None:
    """Let threads wait less for each other: they take turns more often, and no collection walks over what was there from the start."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)
