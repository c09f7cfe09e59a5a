"""Versions that tests of compatibility run beside the present one."""

from pathlib import Path

import pytest
import zstandard

from tests.compat.make import MADE
from tests.support.versions import Version, earlier_versions, require_version


@pytest.fixture(params=earlier_versions())
def version(request: pytest.FixtureRequest) -> Version:
    """Each earlier version, built; skipped by name where it is not."""
    return require_version(request.param)


@pytest.fixture(params=sorted(path.name for path in MADE.iterdir() if path.is_dir()))
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:  # noqa: PLR0206 - a fixture is no property
    """Each folder of kept files, copied, with what is compressed as a whole expanded."""
    for path in (MADE / request.param).iterdir():
        content = path.read_bytes()
        expanded = path.suffix == ".zst" and not path.name.startswith("batch-")
        target = tmp_path / "made" / (path.stem if expanded else path.name)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(zstandard.ZstdDecompressor().decompress(content) if expanded else content)
    return tmp_path / "made"
