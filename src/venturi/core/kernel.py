"""The one place where a function is turned into compiled code.

Owns the compilation options, so that every kernel is cached on disk and runs without the interpreter lock.
Nothing but compilation lives here.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import config, njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Kernel = TypeVar("Kernel", bound=Callable[..., object])

_STEP: dict[str, Any] = {"nogil": True, "boundscheck": False, "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(function: Kernel) -> Kernel:
    """Compile ``function`` on first use, keep the machine code in the cache, and release the interpreter lock while it runs.

    A kernel checks every index that it derives from its input itself: compiled code does not.
    """
    return cast("Kernel", njit(function, cache=True, nogil=True, boundscheck=False))


def step(function: Kernel) -> Kernel:
    """Compile ``function`` as a part of kernels: it cannot be called from Python and makes no arrays.

    Without a way in from Python and without reference counts it compiles in a fraction of the time that a kernel takes.
    """
    return cast("Kernel", njit(**_STEP)(function))


def constant(value: int) -> int:
    """Give a number that a kernel takes for any number, rather than being compiled anew for each that it is called with."""
    return cast("int", np.int64(value))


def network_reader(octets: int) -> Callable[[NDArray[np.uint8], int], int]:
    """Make a step that reads 2, 4 or 8 octets in network order at a place of a buffer, as a signed 64-bit number.

    It is a load and a byte swap, where octets read one by one and joined are a dozen instructions to compile and to run. The caller has
    checked that the octets lie in the buffer.
    """
    if getattr(config, "DISABLE_JIT", 0):
        return lambda buffer, place: int.from_bytes([buffer[place + number] for number in range(octets)], signed=octets == 8)  # noqa: PLR2004
    width = {2: types.uint16, 4: types.uint32, 8: types.uint64}[octets]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - the compiler's own types
        word = context.get_value_type(width)
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), word.as_pointer())
        value = builder.bswap(builder.load(place, align=1))
        return context.cast(builder, value, width, types.int64)

    def read(_context: Any, buffer: Any, place: Any) -> Any:  # noqa: ANN401, ARG001 - the compiler looks at these names
        return types.int64(buffer, types.int64), generate

    return cast("Callable[[NDArray[np.uint8], int], int]", intrinsic(read))
