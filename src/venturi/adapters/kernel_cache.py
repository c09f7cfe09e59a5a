"""Where compiled kernels are kept between runs, and those that come with the package.

Owns the folder and its filling. It is named after a fingerprint of the sources: numba itself notices a change of the file that a kernel
stands in, but not of the functions that were compiled into it from other files. Compiling is numba's affair.

On x86-64 kernels are compiled for any processor of that family, so the package can bring them: an archive for each version of Python. An
archive counts only for the very sources, numba and Python that it was made of.
"""

import atexit
import hashlib
import io
import os
import platform
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from importlib import metadata
from itertools import islice
from pathlib import Path

from venturi.adapters.kernel_cache_config import KernelCacheConfig

ARCHIVES = Path(__file__).with_name("compiled")
"""The folder of the archives in the package; without it kernels are compiled where they run."""

_NUMBA_FOLDER = "NUMBA_CACHE_DIR"
_ANY_PROCESSOR = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
_FOLDER_PREFIX = "kernels-"
_KEPT_FOLDERS = 4


class KernelCache:
    """The folder of compiled kernels of just this version of the sources, Python and numba."""

    def __init__(self, config: KernelCacheConfig, sources: Path, archives: Path = ARCHIVES) -> None:
        """Take the folder, the root of the sources that kernels are compiled from, and where archives lie; nothing is touched yet."""
        self._config = config
        self._sources = sources
        self._archives = archives
        self._folder: Path | None = None

    def start(self) -> bool:
        """Make numba use the folder; must precede the import of numba. Tell whether kernels are there already.

        Where the folder cannot be written, a temporary one is used until the process ends.
        """
        if platform.machine() == "x86_64":
            for setting, value in _ANY_PROCESSOR.items():
                os.environ[setting] = value
        name = f"{_FOLDER_PREFIX}{_digest(str(self._sources), self._fingerprint())}"
        try:
            folder = self._config.folder / name
            self._fill(folder)
            folder.touch()
            self._prune()
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix="venturi-")) / name
            atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
            self._fill(folder)
        os.environ[_NUMBA_FOLDER] = str(folder)
        self._folder = folder
        return any(folder.rglob("*.nbc"))

    def pack(self, folder: Path) -> tuple[Path, set[str]]:
        """Write what was compiled since the start into the cache as an archive of ``folder``.

        Give its path and the kernels in it, named by module and function.
        """
        assert self._folder is not None, "a cache is packed after its start"  # noqa: S101 - an error of the caller
        content, packed = io.BytesIO(), set()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.comment = self._fingerprint().encode()
            for place in self._places():
                for path in sorted((self._folder / _numba_name(self._sources / place)).glob("*.nb[ci]")):
                    archive.writestr(zipfile.ZipInfo(f"{place}/{path.name}"), path.read_bytes(), zipfile.ZIP_DEFLATED)
                    packed.add(path.name.partition("-")[0])
        folder.mkdir(exist_ok=True)
        target = folder / archive_name()
        target.write_bytes(content.getvalue())
        return target, packed

    def is_packed(self) -> bool:
        """Tell whether there is an archive of these sources, numba and Python."""
        return platform.machine() == "x86_64" and self._counts(self._archives / archive_name())

    def remove_stale(self) -> None:
        """Remove the archives that count for no Python any more."""
        for path in self._archives.glob("*.zip"):
            if not self._counts(path):
                path.unlink()

    def _counts(self, path: Path) -> bool:
        if not path.is_file():
            return False
        with zipfile.ZipFile(path) as archive:
            return archive.comment == self._fingerprint(path.name).encode()

    def _fill(self, folder: Path) -> None:
        """Make the folder, with what the archive holds if it counts; other processes may do the same at once."""
        if folder.is_dir():
            return
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
            filled = Path(scratch) / folder.name
            filled.mkdir()
            if self.is_packed():
                with zipfile.ZipFile(self._archives / archive_name()) as archive:
                    for name in archive.namelist():
                        place, _, file = name.rpartition("/")
                        target = filled / _numba_name(self._sources / place)
                        target.mkdir(exist_ok=True)
                        (target / file).write_bytes(archive.read(name))
            try:
                filled.rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise

    def _places(self) -> list[str]:
        return sorted({str(path.parent.relative_to(self._sources)) for path in self._sources.rglob("*.py")})

    def _fingerprint(self, archive: str = "") -> str:
        """Digest what decides what the kernels of an archive are: the text of the sources, numba, and Python, which its name tells."""
        texts = (f"{path.relative_to(self._sources)} {_digest_file(path)}" for path in sorted(self._sources.rglob("*.py")))
        return _digest(metadata.version("numba"), metadata.version("llvmlite"), archive or archive_name(), *texts)

    def _prune(self) -> None:
        """Remove the folders of other versions but for the most recently used."""
        for folder in _all_but_newest(self._config.folder.glob(f"{_FOLDER_PREFIX}*")):
            shutil.rmtree(folder, ignore_errors=True)


def archive_name() -> str:
    """Name the archive of this Python on this family of processors."""
    return f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}-{platform.machine()}.zip"


def _numba_name(folder: Path) -> str:
    """Give the name under which numba keeps what it compiled of the modules of ``folder`` (``UserProvidedCacheLocator``)."""
    path = os.path.abspath(folder)  # noqa: PTH100 - as numba does: links are not followed
    return f"{os.path.basename(path)}_{hashlib.sha1(path.encode()).hexdigest()}"  # noqa: PTH119, S324 - a name, not a secret


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _digest_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _all_but_newest(folders: Iterable[Path]) -> Iterable[Path]:
    return islice(sorted(folders, key=lambda folder: folder.stat().st_mtime_ns, reverse=True), _KEPT_FOLDERS, None)
