"""``python -m tests.newcomer [FOLDER]``: types the first hour, as root, and writes what is shown into the page. Fails as the test fails.

Packages that are in FOLDER from an earlier run are not built again.
"""

import sys
import tempfile
from pathlib import Path

from tests.newcomer.hour import PAGE, typing
from tests.newcomer.session import Answer, renew
from tests.support.machines.packages import built_packages


def main() -> int:
    """Renew the page; the exit status says whether a newcomer would stumble."""
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "machine").mkdir()
        packages = built_packages(Path(sys.argv[1]) if len(sys.argv) > 1 else folder / "deb")
        with typing(folder / "machine", packages) as run:

            def answer(command: str) -> Answer:
                given = run(command)
                faults.extend(f"{command}: {fault}" for fault in given.faults())
                sys.stderr.write(f"$ {command}\n{given.shown}\n")
                return given

            PAGE.write_text(renew(PAGE.read_text(encoding="utf-8"), answer), encoding="utf-8")
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
