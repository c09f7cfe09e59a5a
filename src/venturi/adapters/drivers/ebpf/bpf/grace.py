"""The grace period: waiting until no CPU runs a program that it could reach before.

Owns the one trick by which user space can wait for it: the kernel ends an update of a map of maps with ``synchronize_rcu``
(kernel/bpf/syscall.c, ``maybe_wait_bpf_programs``), so that programs have left the map that was replaced. Programs at netfilter and tc
hooks run in RCU read-side sections, so whoever was within a replaced program has left it as well.
"""

import os
import struct
from contextlib import ExitStack

from venturi.adapters.drivers.ebpf.bpf.libbpf import Libbpf, MapShape

_ARRAY, _ARRAY_OF_MAPS = 2, 12


class GracePeriod:
    """Maps of this process alone, made to wait on."""

    def __init__(self, libbpf: Libbpf) -> None:
        self._libbpf = libbpf
        with ExitStack() as opened:
            self._inner = libbpf.create_map("grace_inner", MapShape(_ARRAY, 4, 8, 1))
            opened.callback(os.close, self._inner)
            self._outer = libbpf.create_map("grace_outer", MapShape(_ARRAY_OF_MAPS, 4, 4, 1), self._inner)
            opened.pop_all()

    def wait(self) -> None:
        """Return once every program that ran when this was called has ended."""
        self._libbpf.update(self._outer, bytes(4), struct.pack("=I", self._inner))

    def close(self) -> None:
        """Let go of the maps."""
        os.close(self._outer)
        os.close(self._inner)
