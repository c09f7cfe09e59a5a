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
from typing import Any, NamedTuple

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
    "libbpf_find_vmlinux_btf_id": (c_int, (c_char_p, c_int)),
    "bpf_object__open_file": (c_void_p, (c_char_p, c_void_p)),
    "bpf_object__load": (c_int, (c_void_p,)),
    "bpf_object__close": (None, (c_void_p,)),
    "bpf_object__next_program": (c_void_p, (c_void_p, c_void_p)),
    "bpf_object__next_map": (c_void_p, (c_void_p, c_void_p)),
    "bpf_program__name": (c_char_p, (c_void_p,)),
    "bpf_program__fd": (c_int, (c_void_p,)),
    "bpf_program__set_autoload": (c_int, (c_void_p, c_bool)),
    "bpf_program__insns": (c_void_p, (c_void_p,)),
    "bpf_program__insn_cnt": (c_size_t, (c_void_p,)),
    "bpf_program__set_type": (c_int, (c_void_p, c_int)),
    "bpf_program__set_expected_attach_type": (c_int, (c_void_p, c_int)),
    "bpf_map__name": (c_char_p, (c_void_p,)),
    "bpf_map__fd": (c_int, (c_void_p,)),
    "bpf_map__type": (c_int, (c_void_p,)),
    "bpf_map__key_size": (c_uint32, (c_void_p,)),
    "bpf_map__value_size": (c_uint32, (c_void_p,)),
    "bpf_map__max_entries": (c_uint32, (c_void_p,)),
    "bpf_map__map_flags": (c_uint32, (c_void_p,)),
    "bpf_map_create": (c_int, (c_int, c_char_p, c_uint32, c_uint32, c_uint32, c_void_p)),
    "bpf_map_freeze": (c_int, (c_int,)),
    "bpf_prog_load": (c_int, (c_int, c_char_p, c_char_p, c_void_p, c_size_t, c_void_p)),
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


class MapShape(NamedTuple):
    """The type of a map, octets of a key and of a value, number of entries, and flags (BPF_MAP_CREATE of bpf(2))."""

    type: int
    key_octets: int
    value_octets: int
    entries: int
    flags: int = 0


class ProgramKind(NamedTuple):
    """The type of a program and that of what it is attached to (BPF_PROG_LOAD of bpf(2)); an iterator also names what it runs over."""

    type: int
    attachment: int
    target: str = ""


class _MapOptions(ctypes.Structure):
    """``struct bpf_map_create_opts``, as far as it is used."""

    _fields_ = (("sz", c_size_t), ("btf", c_uint32 * 4), ("inner_map_fd", c_uint32), ("map_flags", c_uint32))


class _ProgramOptions(ctypes.Structure):
    """``struct bpf_prog_load_opts``, as far as it is used."""

    _fields_ = (
        ("sz", c_size_t),
        ("attempts", c_int),
        ("expected_attach_type", c_int),
        ("unused", c_uint32 * 4),
        ("attach_btf_id", c_uint32),
    )


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

    def shape_of(self, handle: int) -> MapShape:
        """Give the shape of a map of an object."""
        members = ("type", "key_size", "value_size", "max_entries", "map_flags")
        return MapShape(*(self.call(f"bpf_map__{member}", handle) for member in members))

    def create_map(self, name: str, shape: MapShape, inner_map: int = 0) -> int:
        """Make a map and give its file descriptor; ``inner_map`` is what a map of maps holds."""
        options = _MapOptions(ctypes.sizeof(_MapOptions), inner_map_fd=inner_map, map_flags=shape.flags)
        sizes = shape.key_octets, shape.value_octets, shape.entries
        return self.check("a BPF map cannot be made", "bpf_map_create", shape.type, name.encode(), *sizes, ctypes.byref(options))

    @contextmanager
    def created_map(self, name: str, shape: MapShape) -> Iterator[int]:
        """Make a map that is gone after the block unless it was pinned."""
        descriptor = self.create_map(name, shape)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def load_program(self, kind: ProgramKind, name: str, instructions: NDArray[Any]) -> int:
        """Have the kernel verify and compile a program under the GPL, and give its file descriptor."""
        target = self._find_type(kind) if kind.target else 0
        options = _ProgramOptions(ctypes.sizeof(_ProgramOptions), expected_attach_type=kind.attachment, attach_btf_id=target)
        arguments = (name.encode(), b"GPL", instructions.ctypes.data, len(instructions), ctypes.byref(options))
        return self.check(f"the kernel does not take the eBPF program {name}", "bpf_prog_load", kind.type, *arguments)

    def _find_type(self, kind: ProgramKind) -> int:
        """Give the number, among the kernel's types, of what an iterator runs over."""
        message = f"the kernel cannot run a program over each {kind.target}"
        return self.check(message, "libbpf_find_vmlinux_btf_id", kind.target.encode(), kind.attachment)

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
