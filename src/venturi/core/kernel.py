"""The one place where a function is turned into compiled code.

Owns the compilation options, so that every kernel is cached on disk and runs without the interpreter lock.
Nothing but the decorator lives here.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

Kernel = TypeVar("Kernel", bound=Callable[..., object])

_STEP: dict[str, Any] = {"nogil": True, "boundscheck": False, "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(function: Kernel) -> Kernel:
    """Compile ``function`` on first use, keep the machine code in the cache, and release the interpreter lock while it runs.

    A kernel checks every index that it derives from its input itself: compiled code does not.
    """
    return cast("Kernel", numba.njit(function, cache=True, nogil=True, boundscheck=False))


def inlined(function: Kernel) -> Kernel:
    """Compile ``function`` into every kernel that calls it.

    For what runs once per flow or per packet: a call that is not inlined counts references to every array it is
    handed, which costs more than a search.
    """
    return cast("Kernel", numba.njit(function, nogil=True, boundscheck=False, forceinline=True))


def step(function: Kernel) -> Kernel:
    """Compile ``function`` as a part of kernels: it cannot be called from Python and makes no arrays.

    Without a way in from Python and without reference counts it compiles in a fraction of the time that a kernel takes.
    """
    return cast("Kernel", numba.njit(**_STEP)(function))


def constant(value: int) -> int:
    """Give a number that a kernel takes for any number, rather than being compiled anew for each that it is called with."""
    return cast("int", np.int64(value))
