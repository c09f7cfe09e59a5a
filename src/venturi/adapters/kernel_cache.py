"""Where compiled kernels are kept between runs.

Owns the folder. It is named after a fingerprint of the sources: numba itself notices a change of the file that a kernel
stands in, but not of the functions that were compiled into it from other files.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from importlib import metadata
from itertools import islice
from pathlib import Path

from venturi.adapters.kernel_cache_config import KernelCacheConfig

_NUMBA_FOLDER = "NUMBA_CACHE_DIR"
_FOLDER_PREFIX = "kernels-"
_KEPT_FOLDERS = 4


class KernelCache:
    """The folder of compiled kernels of just this version of the sources, Python and numba."""

    def __init__(self, config: KernelCacheConfig, sources: Path) -> None:
        """Take the folder and the root of the sources that kernels are compiled from; nothing is touched yet."""
        self._config = config
        self._sources = sources

    def start(self) -> bool:
        """Make numba use the folder; must precede the import of numba. Tell whether kernels were compiled into it before.

        Where the folder cannot be written, numba falls back on places of its own.
        """
        folder = self._config.folder / f"{_FOLDER_PREFIX}{self._fingerprint()}"
        filled = any(folder.rglob("*.nbc"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            folder.touch()
            self._prune()
        except OSError:
            return False
        os.environ[_NUMBA_FOLDER] = str(folder)
        return filled

    def _fingerprint(self) -> str:
        parts = [metadata.version("numba"), *sorted(_describe(path) for path in self._sources.rglob("*.py"))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _prune(self) -> None:
        """Remove the folders of other versions but for the most recently used."""
        for folder in _all_but_newest(self._config.folder.glob(f"{_FOLDER_PREFIX}*")):
            shutil.rmtree(folder, ignore_errors=True)


def _describe(path: Path) -> str:
    status = path.stat()
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _all_but_newest(folders: Iterable[Path]) -> Iterable[Path]:
    return islice(sorted(folders, key=lambda folder: folder.stat().st_mtime_ns, reverse=True), _KEPT_FOLDERS, None)
