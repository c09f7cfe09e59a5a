"""Fuzzes the decoders of flow export by coverage; run by hand: ``python -m tests.fuzz.export_fuzz``, with options of libFuzzer.

Compiled kernels are not seen by the instrumentation, so they run as plain Python, in which an index out of bounds raises.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["NUMBA_DISABLE_JIT"] = "1"

import atheris

with atheris.instrument_imports(include=["venturi", "tests"]):
    from tests.property.test_export_fuzz import SEEDS, decode_all


def main() -> None:
    """Fuzz from good messages on, until stopped."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS):
            Path(corpus, str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], decode_all)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
