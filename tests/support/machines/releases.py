"""This machine's release of Debian or Ubuntu as a tree of files with Python, made once by mmdebstrap and kept in the cache.

A tree is never changed: who installs something works on a copy.
"""

import fcntl
import os
import platform
from pathlib import Path

from tests.support.environments import run_whole


def release_tree() -> Path:
    """Give the tree; the first time that takes a minute and the release's mirror."""
    name = platform.freedesktop_os_release()["VERSION_CODENAME"]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "venturi-releases"
    folder.mkdir(parents=True, exist_ok=True)
    tree = folder / name
    with (folder / f"{name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.is_dir():
            made = folder / f"{name}.new"
            run_whole("rm", "-rf", made)
            run_whole("mmdebstrap", "--quiet", "--variant=minbase", "--include=python3", name, made)
            made.rename(tree)
    return tree
