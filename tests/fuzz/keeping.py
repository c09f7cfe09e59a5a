"""Keeps what a check failed on as a case, which every later run of the tests checks again.

Owns the folder of cases and their names. Only ``make fuzz`` adds to it.
"""

import functools
import os
from collections.abc import Callable
from pathlib import Path

CASES = Path(os.environ.get("VENTURI_FUZZ_CASES") or Path(__file__).parent / "cases")
"""A folder for each kind of input, in which each file is a case; the tests of ``make fuzz`` have another one."""

RUN_VARIABLE = "VENTURI_FUZZ_RUN"
"""Names the run of ``make fuzz``; without it nothing is kept."""

Check = Callable[[bytes], None]


def keeps_failures(kind: str) -> Callable[[Check], Check]:
    """Make a check keep the octets that it fails on as a case of ``kind``.

    While hypothesis looks for a smaller failure of a property, each one replaces the one before; the last is the smallest.
    """

    def decorate(check: Check) -> Check:
        @functools.wraps(check)
        def keeping(octets: bytes) -> None:
            try:
                check(octets)
            except KeyboardInterrupt:  # the time is up; these octets did nothing
                raise
            except BaseException:
                _keep(kind, octets)
                raise

        return keeping

    return decorate


def _keep(kind: str, octets: bytes) -> None:
    run = os.environ.get(RUN_VARIABLE)
    if run:
        folder = CASES / kind
        folder.mkdir(parents=True, exist_ok=True)
        property_name = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2].partition(" ")[0]
        (folder / "-".join(filter(None, (run, property_name)))).write_bytes(octets)
