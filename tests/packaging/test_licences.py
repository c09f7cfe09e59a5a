"""Every licence is stated: of venturi, of the kernel programs, and of what is shipped or installed with it."""

import re
import tomllib
import zipfile
from importlib.metadata import metadata
from pathlib import Path

import pytest
import vl_convert
from packaging.requirements import Requirement

from tests.support.environments import Installer
from tests.support.sources import ROOT
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import PROGRAM_FILE

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
KERNEL = "GPL-2.0-or-later"
WHOLE = f"Apache-2.0 AND {KERNEL}"
THIRD_PARTY = (ROOT / "THIRD-PARTY").read_text(encoding="utf-8")
PACKAGES = dict(re.findall(r"^(\S+) {2,}(\S.*)$", THIRD_PARTY.partition("Packages that venturi asks for")[2], flags=re.MULTILINE))
SPDX_NAMES = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "zlib/libpng License": "Zlib",
}


def _asked() -> set[str]:
    lines = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    return {Requirement(line).name for line in lines} - {"venturi"}


def _stated(package: str) -> set[str]:
    """Give the licences that a package states of itself; those that state none in a readable form give none."""
    stated = metadata(package)
    if "License-Expression" in stated:
        return set(re.split(r" (?:AND|OR) ", stated["License-Expression"]))
    classified = [line.rpartition(" :: ")[2] for line in stated.get_all("Classifier") or [] if line.startswith("License ::")]
    return {SPDX_NAMES[name] for name in classified}


@pytest.mark.parametrize("path", sorted((ROOT / "bpf").glob("*.[ch]")), ids=lambda path: path.name)
def test_every_source_of_the_kernel_programs_states_their_licence(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith(f"// SPDX-License-Identifier: {KERNEL}\n")


@needs("clang")
def test_the_compiled_programs_state_it_to_the_kernel(installer: Installer) -> None:
    with zipfile.ZipFile(installer.wheel()) as archive:
        assert b"\0GPL\0" in archive.read(str(PROGRAM_FILE.relative_to(ROOT / "src")))


def test_the_wheel_states_both_licences_and_holds_their_texts(installer: Installer) -> None:
    assert PROJECT["license"] == WHOLE
    with zipfile.ZipFile(installer.wheel()) as archive:
        (described,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        assert f"License-Expression: {WHOLE}\n" in archive.read(described).decode()
        held = {name.partition("/licenses/")[2]: archive.read(name) for name in archive.namelist() if "/licenses/" in name}
    assert held == {name: (ROOT / name).read_bytes() for name in ("LICENSE", "bpf/LICENSE", "THIRD-PARTY")}


@pytest.mark.parametrize("place", ["README.md", "THIRD-PARTY"])
def test_both_licences_are_stated_beside_each_other(place: str) -> None:
    text = (ROOT / place).read_text(encoding="utf-8")
    assert "Apache" in text
    assert "bpf/LICENSE" in text


def _packed_packages() -> set[str]:
    """Name the packages of which the drawing engine of pages is put together; ``vl_convert`` holds them by their addresses."""
    (library,) = Path(vl_convert.__path__[0]).glob("vl_convert*.so")
    return {name.decode() for name in re.findall(rb"npm/([a-z0-9.-]+)@[0-9]+[.][0-9]+[.][0-9]+/", library.read_bytes())}


def test_third_party_lists_every_package_that_is_packed_into_pages() -> None:
    packed = THIRD_PARTY.partition("Packed into chart_engine.js.gz")[2].partition("BSD-3-Clause: ")[0]
    stated = set(re.findall(r"^([a-z0-9.-]+) {2,}\S", packed, flags=re.MULTILINE)) | {"vega", "internmap"}
    named = {name for name in _packed_packages() if not name.startswith(("vega-", "d3-"))}
    assert named - stated == {"lodash.debounce"}, "which only a page with events of its own would have"


def test_third_party_lists_every_package_that_is_asked_for() -> None:
    assert set(PACKAGES) == _asked()


@pytest.mark.parametrize(("package", "licence"), sorted(PACKAGES.items()))
def test_third_party_states_the_licence_that_the_package_states(package: str, licence: str) -> None:
    named = set(re.split(r" (?:AND|OR) ", licence))
    assert _stated(package) <= named | ({"BSD"} if any(name.startswith("BSD-") for name in named) else set())
