"""What the figures were measured on: the machine and the versions of everything that was run.

Owns the asking; nothing is measured here.
"""

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

from bench.measure.processes import find_program

_PACKAGES = ("venturi", "netflow", "numpy", "numba", "pyroute2", "SQLAlchemy")
_TOOLS = {
    "nfdump": ("-V",),
    "pmacctd": ("-V",),
    "softflowd": ("-h",),
    "nft": ("--version",),
    "iptables-nft": ("--version",),
    "postgres": ("--version",),
}


def describe_machine() -> list[str]:
    """Describe processor, memory, system and how busy the machine is already."""
    processor = _find(r"^model name\s*: (.*)$", Path("/proc/cpuinfo")) or platform.machine()
    memory = int(_find(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo")) or 0) / 2**20
    busy = os.getloadavg()[0]
    return [
        f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB of memory",
        f"Linux {platform.release()}, Python {platform.python_version()}; load before the run {busy:.1f}",
    ]


def describe_versions() -> str:
    """List the versions of packages and programs; what is missing is named."""
    packages = [f"{name} {metadata.version(name)}" for name in _PACKAGES]
    return ", ".join([*packages, *(_describe_tool(name, options) for name, options in _TOOLS.items())])


def _describe_tool(name: str, options: tuple[str, ...]) -> str:
    program = find_program(name)
    if program is None:
        return f"no {name}"
    told = subprocess.run([str(program), *options], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", told.stdout + told.stderr)
    return f"{name} {found[0] if found else 'of unknown version'}"


def _find(pattern: str, path: Path) -> str | None:
    try:
        found = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return None
    return found[1] if found else None
