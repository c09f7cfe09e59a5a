"""Which netfilter links are attached, as the kernel's own memory has it.

Owns the program that tells. By system calls alone a link that somebody detached (``bpftool link detach``) looks as it did before.
"""

import os

import numpy as np

from venturi.adapters.drivers.ebpf.bpf.links import link_iterator, read_iterator
from venturi.adapters.drivers.ebpf.bpf.program import ProgramFile


class AttachedLinks:
    """Asks for the numbers of all attached netfilter links of the host; the program is loaded when that is first asked."""

    def __init__(self, programs: ProgramFile) -> None:
        self._programs = programs
        self._iterator: int | None = None

    def numbers(self) -> set[int]:
        """List the links by number; raises ``DriverError`` where the kernel cannot be asked."""
        if self._iterator is None:
            with self._programs.loaded("iter_links", b"") as program:
                self._iterator = link_iterator(program.descriptor)
        return set(np.frombuffer(read_iterator(self._iterator), dtype=np.uint32).tolist())

    def close(self) -> None:
        """Let go of the program."""
        if self._iterator is not None:
            os.close(self._iterator)
            self._iterator = None
