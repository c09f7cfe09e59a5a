"""Settings from the environment, each turned into the Config of the component that it is for.

Nothing else reads the environment.
"""

import os
from pathlib import Path

from venturi.adapters.kernel_cache import KernelCacheConfig

CACHE_SETTING = "VENTURI_CACHE_DIR"
"""The variable that names the folder of compiled kernels; without it, ``venturi`` in the user's cache folder."""


def kernel_cache_config() -> KernelCacheConfig:
    """Where compiled kernels are kept."""
    chosen = os.environ.get(CACHE_SETTING)
    if chosen:
        return KernelCacheConfig(Path(chosen))
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return KernelCacheConfig(Path(user_cache) / "venturi")
