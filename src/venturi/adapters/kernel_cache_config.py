"""How the folder of compiled kernels is configured, apart from ``kernel_cache`` so that commands that meter nothing start at once.

Owns that one value. What the folder holds is ``kernel_cache``'s affair.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KernelCacheConfig:
    """``folder`` holds one folder for each version of the kernels."""

    folder: Path
