"""The build hook of the wheel: compiles eBPF programs and metering kernels, and packs the charts' engine, where their tools are installed.

Owns nothing but the calls; what is made and how is said in the scripts.
"""

import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EbpfBuildHook(BuildHookInterface):
    """Runs before the files of a wheel, editable or not, are gathered."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Compile into the package; a machine without clang builds a wheel without the programs, one without numba one without kernels."""
        for script in ("build-bpf", "build-kernels", "build-chart-engine"):
            subprocess.run([Path(self.root, "scripts", script)], check=True)
