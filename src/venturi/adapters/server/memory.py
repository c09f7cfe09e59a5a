"""How the C library keeps memory that is free again.

Owns two settings of glibc's allocator (mallopt(3)); another C library is left as it is.
"""

import ctypes

_TRIM_THRESHOLD = -1
_MOST_ARENAS = -8
_KEPT_OCTETS = 128 * 1024


def give_back_memory() -> None:
    """Have freed memory returned to the system: one arena for all threads, which the interpreter runs one at a time anyway.

    Otherwise each thread that ever answered a large request holds on to the memory of it.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MOST_ARENAS, 1)
        set_option(_TRIM_THRESHOLD, _KEPT_OCTETS)
