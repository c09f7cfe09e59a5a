"""The build hook of the wheel: compiles the eBPF programs, where clang is installed.

Owns nothing but the call; what is compiled and how is said in ``scripts/build-bpf``.
"""

import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EbpfBuildHook(BuildHookInterface):
    """Runs before the files of a wheel, editable or not, are gathered."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Compile into the package; a machine without clang builds a wheel without the programs."""
        subprocess.run([Path(self.root, "scripts", "build-bpf")], check=True)
