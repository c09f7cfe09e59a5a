"""Programs out of the compiled object: one at a time, with the maps that it needs at the sizes that it needs.

Owns the life of a loaded object. What the maps hold is not known here.
"""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf, refusal
from venturi.core.domain.errors import DriverError

_NETFILTER_PROGRAM = 32  # BPF_PROG_TYPE_NETFILTER
_NETFILTER_ATTACHMENT = 45  # BPF_NETFILTER
_CONSTANTS = ".rodata"


@dataclass(frozen=True, kw_only=True)
class ProgramSizes:
    """How large the maps of a program are: octets of the value or number of entries, by the name of the map."""

    value_octets: Mapping[str, int] = field(default_factory=dict)
    entries: Mapping[str, int] = field(default_factory=dict)


class Program:
    """One program of an object and its maps, in the kernel until the block ends, and beyond where something holds them.

    Only ``maps`` are made, of ``sizes``; ``constants`` is the whole content of the read-only variables. Raises ``DriverError``.
    """

    def __init__(self, libbpf: Libbpf, path: Path, name: str, maps: frozenset[str]) -> None:
        self._libbpf = libbpf
        self._object = libbpf.call("bpf_object__open_file", bytes(path), None)
        if not self._object:
            message = f"the eBPF programs in '{path}' cannot be opened"
            raise refusal(message, ctypes.get_errno())
        self._maps = self._list("map")
        self._name = name
        self._program = self._list("program")[name]
        for other, handle in self._maps.items():
            libbpf.call("bpf_map__set_autocreate", handle, other in maps or other.endswith(_CONSTANTS))

    def __enter__(self) -> Self:
        """Give the program itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the object."""
        self._libbpf.call("bpf_object__close", self._object)

    def load(self, constants: bytes, sizes: ProgramSizes | None = None) -> None:
        """Have the kernel verify and compile the program, once its constants and sizes stand; raises ``KernelRefusedError``."""
        self._write_constants(constants)
        wanted = sizes or ProgramSizes()
        for name, octets in wanted.value_octets.items():
            self._libbpf.check("a table cannot be sized", "bpf_map__set_value_size", self._maps[name], octets)
        for name, entries in wanted.entries.items():
            self._libbpf.check("a table cannot be sized", "bpf_map__set_max_entries", self._maps[name], entries)
        self._choose()
        self._libbpf.check(f"the kernel does not take the eBPF program {self._name}", "bpf_object__load", self._object)

    @property
    def descriptor(self) -> int:
        """The file descriptor of the loaded program."""
        return int(self._libbpf.call("bpf_program__fd", self._program))

    def map_descriptor(self, name: str) -> int:
        """Give the file descriptor of one of its maps."""
        return int(self._libbpf.call("bpf_map__fd", self._maps[name]))

    def _choose(self) -> None:
        for name, handle in self._list("program").items():
            self._libbpf.call("bpf_program__set_autoload", handle, name == self._name)
            if name.startswith("netfilter"):  # libbpf knows of these since 1.2
                self._libbpf.call("bpf_program__set_type", handle, _NETFILTER_PROGRAM)
                self._libbpf.call("bpf_program__set_expected_attach_type", handle, _NETFILTER_ATTACHMENT)

    def _write_constants(self, constants: bytes) -> None:
        handle = next(handle for name, handle in self._maps.items() if name.endswith(_CONSTANTS))
        size = ctypes.c_size_t()
        place = self._libbpf.call("bpf_map__initial_value", handle, ctypes.byref(size))
        if not place or size.value != len(constants):
            message = f"the eBPF programs have {size.value} octets of constants, not {len(constants)}: they are of another version"
            raise DriverError(message)
        ctypes.memmove(place, constants, len(constants))

    def _list(self, kind: str) -> dict[str, Any]:
        handles: dict[str, Any] = {}
        handle = self._libbpf.call(f"bpf_object__next_{kind}", self._object, None)
        while handle:
            handles[self._libbpf.call(f"bpf_{kind}__name", handle).decode()] = handle
            handle = self._libbpf.call(f"bpf_object__next_{kind}", self._object, handle)
        return handles
