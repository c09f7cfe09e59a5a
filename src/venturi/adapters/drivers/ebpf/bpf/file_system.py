"""BPF file systems: telling one, mounting one, and letting go of one.

Owns the system calls. What is pinned there is not known here.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from venturi.adapters.edges import KERNEL_EDGE
from venturi.core.domain.errors import DriverError

_BPF_MAGIC = 0xCAFE4A11  # include/uapi/linux/magic.h
_LIBC = ctypes.CDLL(None, use_errno=True)
_STATUS_OCTETS = 256
_DETACH = 2  # include/uapi/linux/mount.h


def is_bpf_file_system(folder: Path) -> bool:
    """Tell whether a folder lies in a BPF file system."""
    status = ctypes.create_string_buffer(_STATUS_OCTETS)
    if _LIBC.statfs(bytes(folder), status):
        return False
    return ctypes.c_long.from_buffer(status).value == _BPF_MAGIC


def mount_bpf_file_system(folder: Path) -> None:
    """Mount a BPF file system at a folder; raises ``DriverError``."""
    if _LIBC.mount(b"bpf", bytes(folder), b"bpf", 0, b"mode=0700"):
        message = f"no BPF file system can be mounted at '{folder}': {os.strerror(ctypes.get_errno())}"
        raise DriverError(message)


@contextmanager
@KERNEL_EDGE.function
def passing_bpf_folder(folder: Path) -> Iterator[None]:
    """Make a folder for a BPF file system, and unmount at the end what was mounted there, with everything that is pinned in it."""
    folder.mkdir()
    path = bytes(folder)
    try:
        yield
    finally:
        _LIBC.umount2(path, _DETACH)  # of no effect where nothing was mounted
