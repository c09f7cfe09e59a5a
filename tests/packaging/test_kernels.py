"""The first metering and the first chart after an install compile nothing: the wheel brings the kernels, for any x86-64 processor."""

import pickle
import resource
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.support.environments import Environment, Installer
from tests.support.sources import PACKAGE
from venturi.adapters.kernel_cache import ARCHIVES, KernelCache, archive_name
from venturi.adapters.kernel_cache_config import KernelCacheConfig
from venturi.config.surroundings import CACHE_SETTING
from venturi.interfaces.render.chart_files import is_engine_packed

pytestmark = pytest.mark.timeout(900)

FIRST_SECONDS = 3.0
EXAMPLES = PACKAGE / "examples"
COMPILING = "venturi: compiling the metering kernels for this machine: about 20 seconds, once\n"


@pytest.fixture(scope="module")
def installed(installer: Installer) -> Environment:
    """An environment that can meter files and draw charts."""
    return installer.environment("offline", "offline", "charts")


def _meter(installed: Environment, *words: str | Path) -> tuple[str, float]:
    """Meter in a new process; give standard error and the processor time that it took, which other load changes little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = installed.run("meter", *map(str, words), "--rules", str(EXAMPLES / "rules.yaml"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run.returncode == 0, run.stderr
    return run.stderr, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.nb[ci]")}


@pytest.mark.parametrize(
    ("capture", "chart"),
    [("office.pcap.zst", None), ("office.ipfix", None), ("office.pcap.zst", "chart.html"), ("office.pcap.zst", "chart.svg")],
)
def test_the_first_metering_takes_three_seconds_and_compiles_nothing(
    installed: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capture: str, chart: str | None
) -> None:
    monkeypatch.setenv(CACHE_SETTING, str(tmp_path / "cache"))
    said, seconds = _meter(installed, EXAMPLES / capture, *(() if chart is None else ("--chart", tmp_path / chart)))
    assert COMPILING not in said
    assert seconds <= FIRST_SECONDS
    with zipfile.ZipFile(ARCHIVES / archive_name()) as archive:
        packed = {Path(name).name: archive.read(name) for name in archive.namelist()}
    assert _kept(tmp_path / "cache") == packed


def test_the_kernels_are_those_of_any_processor() -> None:
    with zipfile.ZipFile(ARCHIVES / archive_name()) as archive:
        indexes = [archive.read(name) for name in archive.namelist() if name.endswith(".nbi")]
    targets = {key[1][1:] for index in indexes for key in _overloads(index)}
    assert targets == {("generic", "")}


def _overloads(index: bytes) -> list[tuple[object, tuple[str, ...], object]]:
    """Read an index of numba: its version, then the stamp and the overloads in a text of their own."""
    version = pickle.dumps(pickle.loads(index), protocol=-1)  # noqa: S301 - an index that this build wrote
    assert index.startswith(version)
    _, overloads = pickle.loads(index[len(version) :])  # noqa: S301 - as above
    return list(overloads)


def test_the_page_of_a_chart_needs_no_putting_together() -> None:
    assert is_engine_packed()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: PLR0206 - a fixture is no property
    """A copy of the sources of kernels; what a cache tells numba ends with the test."""
    for name in ("NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.setenv(name, "")
    return Path(shutil.copytree(PACKAGE / "core", tmp_path / "core"))


def test_kernels_of_other_sources_are_not_used(sources: Path, tmp_path: Path) -> None:
    config = KernelCacheConfig(tmp_path / "cache")
    assert KernelCache(config, sources).start()
    with (sources / "kernel.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert not KernelCache(config, sources).start()
    assert _kept(tmp_path / "cache") != {}


def test_archives_that_count_no_more_are_removed(sources: Path, tmp_path: Path) -> None:
    archives = Path(shutil.copytree(ARCHIVES, tmp_path / "archives"))
    shutil.copy(archives / archive_name(), archives / "cpython-310-x86_64.zip")
    cache = KernelCache(KernelCacheConfig(tmp_path / "cache"), sources, archives)
    cache.remove_stale()
    assert [path.name for path in archives.iterdir()] == [archive_name()]
    with (sources / "kernel.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    cache.remove_stale()
    assert list(archives.iterdir()) == []


def test_without_a_folder_to_write_to_the_kernels_are_used_all_the_same(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert KernelCache(KernelCacheConfig(tmp_path / "file" / "cache"), sources).start()


def test_where_nothing_is_packed_a_line_says_what_is_waited_for_and_how_long(
    installed: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Path(shutil.copytree(PACKAGE, tmp_path / "venturi", ignore=shutil.ignore_patterns("compiled", "__pycache__"))).parent
    monkeypatch.setenv(CACHE_SETTING, str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(bare))
    said, _ = _meter(installed, EXAMPLES / "office.ipfix")
    assert said.startswith(COMPILING)
    said, _ = _meter(installed, EXAMPLES / "office.ipfix")
    assert COMPILING not in said
