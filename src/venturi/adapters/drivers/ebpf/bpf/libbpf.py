"""libbpf through ctypes: opening and loading objects, and what is done with maps and pins.

Owns the C signatures and the turning of errors into sentences. Which maps there are is not known here.
"""

import ctypes
import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, c_bool, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from venturi.core.domain.errors import DriverError, KernelRefusedError

LIBRARY = "libbpf.so.1"
"""The library by the name that its ABI has."""

_POSSIBLE_CPUS = Path("/sys/devices/system/cpu/possible")
_BATCH = 16_384
_POSITION_OCTETS = 64

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "libbpf_num_possible_cpus": (c_int, ()),
    "libbpf_set_print": (c_void_p, (c_void_p,)),
    "bpf_object__open_file": (c_void_p, (c_char_p, c_void_p)),
    "bpf_object__load": (c_int, (c_void_p,)),
    "bpf_object__close": (None, (c_void_p,)),
    "bpf_object__next_program": (c_void_p, (c_void_p, c_void_p)),
    "bpf_object__next_map": (c_void_p, (c_void_p, c_void_p)),
    "bpf_program__name": (c_char_p, (c_void_p,)),
    "bpf_program__fd": (c_int, (c_void_p,)),
    "bpf_program__set_autoload": (c_int, (c_void_p, c_bool)),
    "bpf_program__set_type": (c_int, (c_void_p, c_int)),
    "bpf_program__set_expected_attach_type": (c_int, (c_void_p, c_int)),
    "bpf_map__name": (c_char_p, (c_void_p,)),
    "bpf_map__fd": (c_int, (c_void_p,)),
    "bpf_map__set_autocreate": (c_int, (c_void_p, c_bool)),
    "bpf_map__set_max_entries": (c_int, (c_void_p, c_uint32)),
    "bpf_map__set_value_size": (c_int, (c_void_p, c_uint32)),
    "bpf_map__initial_value": (c_void_p, (c_void_p, POINTER(c_size_t))),
    "bpf_map_create": (c_int, (c_int, c_char_p, c_uint32, c_uint32, c_uint32, c_void_p)),
    "bpf_map_update_elem": (c_int, (c_int, c_void_p, c_void_p, c_uint64)),
    "bpf_map_lookup_elem": (c_int, (c_int, c_void_p, c_void_p)),
    "bpf_map_delete_elem": (c_int, (c_int, c_void_p)),
    "bpf_map_lookup_batch": (c_int, (c_int, c_void_p, c_void_p, c_void_p, c_void_p, POINTER(c_uint32), c_void_p)),
    "bpf_obj_pin": (c_int, (c_int, c_char_p)),
    "bpf_obj_get": (c_int, (c_char_p,)),
}


def highest_cpu() -> int:
    """Give the highest number that a CPU of this host can have."""
    return int(re.split("[,-]", _POSSIBLE_CPUS.read_text(encoding="ascii"))[-1])


def refusal(message: str, number: int) -> KernelRefusedError:
    """Make the error of a system call from its errno."""
    return KernelRefusedError(message, os.strerror(number), number)


class _MapOptions(ctypes.Structure):
    """``struct bpf_map_create_opts``, as far as it is used."""

    _fields_ = (("sz", c_size_t), ("btf", c_uint32 * 4), ("inner_map_fd", c_uint32), ("map_flags", c_uint32))


class Libbpf:
    """The library, loaded. Raises ``DriverError`` where it cannot be."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(LIBRARY, use_errno=True)
            for name, (result, parameters) in _SIGNATURES.items():
                function = getattr(self._library, name)
                function.restype, function.argtypes = result, parameters
        except (OSError, AttributeError) as error:
            message = f"{LIBRARY} 1.0 or later is missing (Debian and Ubuntu: libbpf1, Fedora: libbpf): {error}"
            raise DriverError(message) from error
        self._library.libbpf_set_print(None)
        self.cpus: int = self._library.libbpf_num_possible_cpus()

    def call(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - a pointer, a text or nothing, by the signature
        """Call a function that cannot fail, or whose answer says more than an errno."""
        return getattr(self._library, name)(*arguments)

    def check(self, message: str, name: str, *arguments: object) -> int:
        """Call a function that gives a negative errno, or -1 and sets it; raises ``KernelRefusedError`` with ``message`` then."""
        answer: int = getattr(self._library, name)(*arguments)
        if answer < 0:
            raise refusal(message, ctypes.get_errno() or -answer)
        return answer

    def update(self, map_fd: int, key: bytes, value: bytes) -> None:
        """Write one element of a map."""
        self.check("a BPF map cannot be written", "bpf_map_update_elem", map_fd, key, value, 0)

    def write_only_element(self, map_fd: int, value: NDArray[np.uint8]) -> None:
        """Write the one element of an array map, without a copy in this process."""
        self.check("a BPF map cannot be written", "bpf_map_update_elem", map_fd, bytes(4), value.ctypes.data, 0)

    def lookup(self, map_fd: int, key: bytes, value_octets: int) -> bytes | None:
        """Read one element of a map, None where there is none."""
        value = ctypes.create_string_buffer(value_octets)
        try:
            self.check("a BPF map cannot be read", "bpf_map_lookup_elem", map_fd, key, value)
        except KernelRefusedError as error:
            if error.number == errno.ENOENT:
                return None
            raise
        return value.raw

    def read_counts(self, map_fd: int, key_words: int) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.int64]]]:
        """Read a per-CPU map of two-word counts in batches: keys of shape (n, key_words) and values of shape (n, CPUs, 2)."""
        positions: tuple[object, object] = (None, ctypes.create_string_buffer(_POSITION_OCTETS))
        more = True
        while more:
            keys = np.empty((_BATCH, key_words), dtype=np.uint32)
            values = np.empty((_BATCH, self.cpus, 2), dtype=np.int64)
            count, more = self._lookup_batch(map_fd, positions, keys, values)
            yield keys[:count], values[:count]
            positions = (positions[1], positions[1])

    def _lookup_batch(
        self, map_fd: int, positions: tuple[object, object], keys: NDArray[np.uint32], values: NDArray[np.int64]
    ) -> tuple[int, bool]:
        count = c_uint32(len(keys))
        places = (*positions, keys.ctypes.data, values.ctypes.data, ctypes.byref(count), None)
        try:
            self.check("a BPF map cannot be read", "bpf_map_lookup_batch", map_fd, *places)
        except KernelRefusedError as error:
            if error.number == errno.ENOENT:  # the end was reached
                return count.value, False
            raise
        return count.value, True

    def create_map(self, kind: int, name: str, value_octets: int, inner_map: int = 0) -> int:
        """Make a map of one element, with keys of 4 octets, and give its file descriptor; ``inner_map`` is what a map of maps holds."""
        options = _MapOptions(ctypes.sizeof(_MapOptions), inner_map_fd=inner_map)
        return self.check("a BPF map cannot be made", "bpf_map_create", kind, name.encode(), 4, value_octets, 1, ctypes.byref(options))

    @contextmanager
    def created_map(self, kind: int, name: str, value_octets: int) -> Iterator[int]:
        """Make a map of one element that is gone after the block unless it was pinned."""
        descriptor = self.create_map(kind, name, value_octets)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def pin(self, descriptor: int, path: Path) -> None:
        """Give a map, program or link a name in the BPF file system, which keeps it."""
        self.check(f"'{path}' cannot be pinned", "bpf_obj_pin", descriptor, os.fsencode(path))

    @contextmanager
    def opened(self, path: Path) -> Iterator[int]:
        """Open what is pinned while the block runs."""
        descriptor = self.check(f"'{path}' cannot be opened", "bpf_obj_get", os.fsencode(path))
        try:
            yield descriptor
        finally:
            os.close(descriptor)
