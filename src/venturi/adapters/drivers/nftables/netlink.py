"""Netlink to nf_tables: attributes, transactions and dumps.

Owns the framing (``linux/netlink.h``, ``linux/netfilter/nfnetlink.h``) and the socket. Which tables there are and what they mean is said
by the modules beside it. Elements come in tens of thousands, so that nothing here may cost more than a few microseconds for each.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from enum import IntEnum
from typing import NamedTuple

from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.namespaces import inside
from venturi.core.domain.errors import DriverError

_NETLINK_NETFILTER = 12
_SUBSYSTEM_NFTABLES = 10 << 8
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_ERROR, _DONE = 2, 3
_REQUEST, _ACKNOWLEDGE, _DUMP, _CREATE, _APPEND, _INTERRUPTED = 0x1, 0x4, 0x300, 0x400, 0x800, 0x10
_FAMILY_INET = 1
ANY_FAMILY = 0
"""The family of a dump that leaves out no tables."""

_NESTED = 0x8000
_TYPE_MASK = 0x3FFF
_GENERIC_OCTETS = 4
_DATAGRAM_OCTETS = 1 << 18
_SEND_BUFFER = 64 << 20
_RECEIVE_BUFFER = 8 << 20
_MOST_DUMPS = 10
_RULESET_NUMBER = 1
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33

_ATTRIBUTE = struct.Struct("=HH")
_START = struct.Struct("=IHHII")


class Verb(IntEnum):
    """The messages of nf_tables (``enum nf_tables_msg_types``) that are sent here."""

    NEW_TABLE = 0
    GET_TABLE = 1
    DELETE_TABLE = 2
    NEW_CHAIN = 3
    GET_CHAIN = 4
    DELETE_CHAIN = 5
    NEW_RULE = 6
    GET_RULE = 7
    DELETE_RULE = 8
    NEW_SET = 9
    GET_SET = 10
    DELETE_SET = 11
    NEW_ELEMENTS = 12
    GET_ELEMENTS = 13
    GET_GENERATION = 16
    GET_FLOWTABLE = 23


class Change(NamedTuple):
    """One message of a transaction."""

    verb: Verb
    attributes: bytes


def attribute(kind: int, *parts: bytes) -> bytes:
    """Give an attribute whose value is the parts joined, padded to four octets."""
    value = b"".join(parts)
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Give an attribute whose value is other attributes."""
    value = b"".join(attributes)
    return _ATTRIBUTE.pack(4 + len(value), kind | _NESTED) + value


def number(kind: int, value: int) -> bytes:
    """Give an attribute of 32 bits; nf_tables wants them big-endian."""
    return attribute(kind, struct.pack("!I", value & 0xFFFF_FFFF))


def text(kind: int, value: str) -> bytes:
    """Give an attribute of characters, ended by NUL."""
    return attribute(kind, value.encode(), b"\0")


def read_attributes(octets: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Give type and value of each attribute in ``octets``."""
    place = 0
    while place + 4 <= len(octets):
        length, kind = _ATTRIBUTE.unpack_from(octets, place)
        yield kind & _TYPE_MASK, octets[place + 4 : place + length]
        place += length + 3 & ~3


def read_text(value: memoryview) -> str:
    """Read characters that NUL ends."""
    return bytes(value).rstrip(b"\0").decode(errors="replace")


@KERNEL_EDGE.adapter
class Connection:
    """A netlink socket in a namespace, None for the one that the thread is in. Raises ``DriverError`` where the kernel refuses."""

    def __init__(self, namespace: str | None) -> None:
        with ExitStack() as undoing:
            try:
                with inside(namespace):
                    self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
                    undoing.callback(self._socket.close)
                self._socket.bind((0, 0))
            except OSError as error:
                message = f"nftables cannot be spoken to: {error.strerror}"
                raise DriverError(message) from error
            _enlarge(self._socket, _SO_SNDBUFFORCE, socket.SO_SNDBUF, _SEND_BUFFER)
            _enlarge(self._socket, _SO_RCVBUFFORCE, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            undoing.pop_all()

    def close(self) -> None:
        """Close the socket; dumps that were not read to their end are dropped."""
        self._socket.close()

    def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes at once, or none; rules go behind those that there are."""
        messages = [_message(_BATCH_BEGIN, _REQUEST, 0, resource=_SUBSYSTEM_NFTABLES >> 8)]
        for place, change in enumerate(changes, start=1):
            flags = _REQUEST | _CREATE | _APPEND | (_ACKNOWLEDGE if place == len(changes) else 0)
            messages.append(_message(_SUBSYSTEM_NFTABLES | change.verb, flags, place, change.attributes, family=_FAMILY_INET))
        messages.append(_message(_BATCH_END, _REQUEST, len(messages), resource=_SUBSYSTEM_NFTABLES >> 8))
        self._socket.send(b"".join(messages))
        for kind, _, body in self._receive():
            if kind == _ERROR:
                _raise_error(body)
                return

    def ruleset_number(self) -> int:
        """Give the number that the kernel raises with every transaction in the namespace, whoever made it."""
        self._socket.send(_message(_SUBSYSTEM_NFTABLES | Verb.GET_GENERATION, _REQUEST | _ACKNOWLEDGE, 0))
        found = 0
        for kind, _, body in self._receive():
            if kind == _ERROR:
                _raise_error(body)
                break
            (found,) = struct.unpack("!I", dict(read_attributes(body[_GENERIC_OCTETS:]))[_RULESET_NUMBER])
        return found

    def dump(self, verb: Verb, attributes: bytes = b"", family: int = _FAMILY_INET) -> list[memoryview]:
        """Give the attributes of each message of a dump in the middle of which no transaction fell."""
        for _ in range(_MOST_DUMPS):
            self._socket.send(_message(_SUBSYSTEM_NFTABLES | verb, _REQUEST | _DUMP, 0, attributes, family=family))
            messages, interrupted = list[memoryview](), False
            for kind, flags, body in self._receive():
                interrupted |= bool(flags & _INTERRUPTED)
                if kind in {_ERROR, _DONE}:
                    _raise_error(body)
                    break
                messages.append(body[_GENERIC_OCTETS:])
            if not interrupted:
                return messages
        message = "the rules of nftables change faster than they can be read: something on this host rewrites them all the time"
        raise DriverError(message)

    def _receive(self) -> Iterator[tuple[int, int, memoryview]]:
        """Give type, flags and body of each message that comes."""
        while True:
            octets = memoryview(self._socket.recv(_DATAGRAM_OCTETS))
            place = 0
            while place < len(octets):
                length, kind, flags, _, _ = _START.unpack_from(octets, place)
                yield kind, flags, octets[place + _START.size : place + length]
                place += length + 3 & ~3


def _message(kind: int, flags: int, sequence: int, attributes: bytes = b"", *, family: int = 0, resource: int = 0) -> bytes:
    start = _START.pack(_START.size + _GENERIC_OCTETS + len(attributes), kind, flags, sequence, 0)
    return start + struct.pack("!BBH", family, 0, resource) + attributes


def _raise_error(body: memoryview) -> None:
    (code,) = struct.unpack_from("=i", body)
    if code:
        error = OSError(-code, os.strerror(-code))
        hint = "; it needs the capability CAP_NET_ADMIN" if error.errno == errno.EPERM else ""
        message = f"nftables refuses: {error.strerror}{hint}"
        raise DriverError(message) from error


def _enlarge(opened: socket.socket, forced: int, ordinary: int, octets: int) -> None:
    """Make room in a buffer, beyond the host's limit where the rights allow it."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, forced, octets)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, ordinary, octets)
