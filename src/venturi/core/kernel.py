"""The one place where a function is turned into compiled code.

Owns the compilation options, so that every kernel is cached on disk and runs without the interpreter lock.
Nothing but compilation lives here.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Kernel = TypeVar("Kernel", bound=Callable[..., object])

_STEP: dict[str, Any] = {"nogil": True, "boundscheck": False, "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

_PREFETCH = "llvm.prefetch.p0"
_FOR_WRITING, _KEEP, _OF_DATA = 1, 3, 1


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
        word: Any = np.int64 if octets == 8 else int  # noqa: PLR2004 - a signed word is taken for an unsigned one as compiled code takes it
        return lambda buffer, place: word(int.from_bytes([buffer[place + number] for number in range(octets)], signed=word is np.int64))
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


def prefetcher() -> Callable[[NDArray[Any], int | np.int64], None]:
    """Make a step that has the beginning of an array's row, or of a plain array's element, brought into the cache while other work goes on.

    A hint to the processor alone: nothing is read, and a place outside the array does no harm.
    """
    if getattr(config, "DISABLE_JIT", 0):
        return lambda _array, _row: None
    octet, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    hint_type = ir.FunctionType(ir.VoidType(), [octet, word, word, word])

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401 - the compiler's own types
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        offset = builder.mul(arguments[1], builder.extract_value(array.strides, 0))
        hint = builder.module.globals.get(_PREFETCH) or ir.Function(builder.module, hint_type, _PREFETCH)
        place = builder.gep(builder.bitcast(array.data, octet), [offset])
        builder.call(hint, [place, word(_FOR_WRITING), word(_KEEP), word(_OF_DATA)])
        return context.get_dummy_value()

    def prefetch(_context: Any, array: Any, row: Any) -> Any:  # noqa: ANN401, ARG001 - the compiler looks at these names
        return types.void(array, types.int64), generate

    return cast("Callable[[NDArray[Any], int | np.int64], None]", intrinsic(prefetch))
