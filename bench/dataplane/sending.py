"""Sending frames as fast as one core can, through everything that happens to them on it.

Owns the system call and the clocks. The kernel forwards a frame on the core, and on the account, of the thread that sends it.
"""

import ctypes
import gzip
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from bench.dataplane.routers import SENDING_DEVICE
from bench.dataplane.traffic import FRAMES, Traffic
from venturi.adapters.network.namespaces import inside

_AT_ONCE = 256
_BUFFER_OCTETS = 8 << 20
_MOST_URGENT = -20
_SO_SNDBUFFORCE = 32
_PACKET_QDISC_BYPASS = 20
_SOL_PACKET = 263

_PIECE = np.dtype([("address", "u8"), ("octets", "u8")])
_MESSAGE = np.dtype(
    [("name", "u8"), ("name_octets", "u8"), ("pieces", "u8"), ("piece_count", "u8"), ("control", "u8", 2), ("flags", "u8"), ("sent", "u8")]
)
"""``struct iovec`` and ``struct mmsghdr`` of 64-bit Linux, padding included."""

_sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
_sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


@dataclass(frozen=True)
class Burst:
    """Frames ``sent`` one after the other, the seconds that it took and those of the thread on a processor."""

    sent: int
    wall: float
    cpu: float

    @property
    def nanoseconds(self) -> float:
        """What one frame took: processor time, or time on the clock where the kernel keeps its own part of the former apart."""
        return (self.wall if _keeps_interrupts_apart() else self.cpu) / self.sent * 1e9


class FrameSender:
    """Sends the frames of a traffic in order, again and again, from a namespace; ``sent`` counts them."""

    def __init__(self, namespace: str, traffic: Traffic) -> None:
        """Describe every frame to the kernel, once."""
        self.sent = 0
        self._namespace = namespace
        self._frames = traffic.frames
        octets = self._frames.dtype.itemsize
        self._places = np.arange(_AT_ONCE) * octets
        self._pieces = np.zeros(_AT_ONCE, dtype=_PIECE)
        self._pieces["octets"] = octets
        self._messages = np.zeros(_AT_ONCE, dtype=_MESSAGE)
        self._messages["pieces"] = self._pieces.ctypes.data + np.arange(_AT_ONCE) * _PIECE.itemsize
        self._messages["piece_count"] = 1
        self._first = self._frames.ctypes.data
        self._array = self._messages.ctypes.data

    def __enter__(self) -> Self:
        """Open a socket at the sending device."""
        with inside(self._namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER_OCTETS)
            self._socket.bind((SENDING_DEVICE, 0))
        return self

    def __exit__(self, *_: object) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, seconds: float) -> Burst:
        """Send for a while, at least once; raises ``OSError`` where the kernel takes no frame."""
        before = self.sent
        with on_one_core():
            began, began_cpu = time.perf_counter(), time.thread_time()
            while True:
                self._send_some()
                wall = time.perf_counter() - began
                if wall >= seconds:
                    return Burst(self.sent - before, wall, time.thread_time() - began_cpu)

    def _send_some(self) -> None:
        place = self.sent % FRAMES
        np.add(self._places, self._first + place * self._frames.dtype.itemsize, out=self._pieces["address"], casting="unsafe")
        sent = _sendmmsg(self._socket.fileno(), self._array, min(_AT_ONCE, FRAMES - place), 0)
        if sent < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self.sent += sent


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep the calling thread on one core, ahead of others, until the end of the block."""
    cores, urgency = os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)
    os.sched_setaffinity(0, {min(cores)})
    os.setpriority(os.PRIO_PROCESS, 0, _MOST_URGENT)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, urgency)
        os.sched_setaffinity(0, cores)


@cache
def _keeps_interrupts_apart() -> bool:
    """Tell whether the kernel does not charge a thread for the forwarding that it sets off (CONFIG_IRQ_TIME_ACCOUNTING)."""
    packed = Path("/proc/config.gz")
    plain = Path(f"/boot/config-{os.uname().release}")
    if packed.exists():
        told = gzip.decompress(packed.read_bytes()).decode("ascii", errors="replace")
    else:
        told = plain.read_text(encoding="utf-8", errors="replace") if plain.exists() else ""
    return "CONFIG_IRQ_TIME_ACCOUNTING=y" in told
