"""The wheel holds all that the package needs."""

import zipfile

from tests.support.environments import Installer
from tests.support.sources import PACKAGE, list_files
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import PROGRAM_FILE
from venturi.adapters.kernel_cache import ARCHIVES, archive_name
from venturi.interfaces.render.chart_files import PACKED_ENGINE

MADE = (PROGRAM_FILE, ARCHIVES / archive_name(), PACKED_ENGINE)


@needs("clang")
def test_it_holds_every_file_of_the_package_and_what_is_made_for_it(installer: Installer) -> None:
    committed = {str(path.relative_to(PACKAGE.parent)) for path in list_files() if path.is_relative_to(PACKAGE)}
    with zipfile.ZipFile(installer.wheel()) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    others = {str(path.relative_to(PACKAGE.parent)) for path in ARCHIVES.glob("*.zip")}
    assert shipped == {*committed, *others, *(str(path.relative_to(PACKAGE.parent)) for path in MADE)}
