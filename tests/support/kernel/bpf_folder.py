"""A BPF file system of this test run, in which every driver has a folder of its own.

Owns its mounting, and its unmounting at the end, with which everything that is still pinned goes.
"""

import atexit
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from venturi.adapters.drivers.ebpf.bpf.file_system import mount_bpf_file_system


def new_bpf_folder(name: str) -> Path:
    """Make a folder in the BPF file system of this run, where it is not there."""
    folder = _mounted() / name
    folder.mkdir(exist_ok=True)
    return folder


@cache
def _mounted() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="venturi-bpf-"))
    mount_bpf_file_system(folder)
    atexit.register(_unmount, folder)
    return folder


def _unmount(folder: Path) -> None:
    subprocess.run(("umount", "--lazy", str(folder)), check=False)
    folder.rmdir()
