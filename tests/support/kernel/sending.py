"""Sends frames from a device of a namespace, each exactly once, many per system call; as a program, until its input is closed.

Owns the sockets. What frames hold is ``frames``' affair, where they go is ``router``'s.
"""

import ctypes
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from select import select

import msgspec

from venturi.adapters.network.namespaces import inside

_SOL_PACKET, _PACKET_QDISC_BYPASS = 263, 20
_FRAMES_PER_CALL = 64
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_char_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _Header), ("sent", ctypes.c_uint))


class Frames:
    """Frames laid out for ``sendmmsg``, to be sent as often as wanted; ``number`` of them."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self.number = len(frames)
        self._vectors = (_Vector * self.number)(*(_Vector(frame, len(frame)) for frame in frames))
        self.messages = (_Message * self.number)()
        for message, vector in zip(self.messages, self._vectors, strict=True):
            message.header.vectors = ctypes.pointer(vector)
            message.header.vector_count = 1


@contextmanager
def frame_sender(namespace: str, device: str) -> Iterator[Callable[[Frames], int]]:
    """Open a packet socket at a device of a namespace and give what sends all of some frames through it, in order."""
    with inside(namespace):
        packet_socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with packet_socket:
        packet_socket.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        packet_socket.bind((device, 0))
        yield partial(_send, packet_socket.fileno())


def _send(descriptor: int, frames: Frames) -> int:
    sent = 0
    while sent < frames.number:
        wanted = min(_FRAMES_PER_CALL, frames.number - sent)
        gone: int = _LIBC.sendmmsg(descriptor, ctypes.byref(frames.messages[sent]), wanted, 0)
        if gone < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")
        sent += gone
    return sent


def send_until_input_ends(namespace: str, device: str, path: Path) -> int:
    """Send the frames of a file (MessagePack) over and over until standard input is closed; gives their number."""
    frames = Frames(msgspec.msgpack.decode(path.read_bytes(), type=list[bytes]))
    sent = 0
    with frame_sender(namespace, device) as send:
        while not select([sys.stdin], [], [], 0)[0]:
            sent += send(frames)
    return sent


if __name__ == "__main__":
    os.write(1, f"{send_until_input_ends(sys.argv[1], sys.argv[2], Path(sys.argv[3]))}\n".encode())
