"""Expressions of nf_tables: the steps of a rule (``linux/netfilter/nf_tables.h``).

Owns their encoding and the registers. Which steps make a rule is for ``rules``.
"""

from venturi.adapters.drivers.nftables.netlink import attribute, nested, number, text

_REGISTER = 2
_VERDICT_REGISTER = 0
_LIST_ELEMENT = 1
_NAME, _BODY = 1, 2
_VALUE, _VERDICT = 1, 2
_JUMP, _RETURN = -3, -5
_NETWORK_HEADER = 1
_DEVICE_NAME_OCTETS = 16
_PROTOCOLS = {4: 2, 6: 10}

IN_DEVICE, OUT_DEVICE = 6, 7
"""Keys of ``device_is``: the device that a packet came in by, or goes out by."""

_PROTOCOL_KEY = 15


def expression(name: str, *attributes: bytes, kind: int = _LIST_ELEMENT) -> bytes:
    """Give an expression by name, as an element of a list or under another type."""
    return nested(kind, text(_NAME, name), nested(_BODY, *attributes))


def counter(kind: int = _LIST_ELEMENT) -> bytes:
    """Give a counter of packets and octets that starts at nothing."""
    return expression("counter", kind=kind)


def device_is(key: int, device: str) -> bytes:
    """Go on where the name of a packet's device is ``device``."""
    return _meta(key) + _equals(device.encode().ljust(_DEVICE_NAME_OCTETS, b"\0"))


def family_is(family: int) -> bytes:
    """Go on where a packet is of a family, 4 or 6."""
    return _meta(_PROTOCOL_KEY) + _equals(bytes([_PROTOCOLS[family]]))


def take_address(offset: int, mask: bytes) -> bytes:
    """Take the bits of a mask out of an address in the network header."""
    octets = len(mask)
    load = expression("payload", number(1, _REGISTER), number(2, _NETWORK_HEADER), number(3, offset), number(4, octets))
    if mask == b"\xff" * octets:
        return load
    masks = nested(4, attribute(_VALUE, mask)), nested(5, attribute(_VALUE, bytes(octets)))
    return load + expression("bitwise", number(1, _REGISTER), number(2, _REGISTER), number(3, octets), *masks)


def is_in(set_name: str, set_id: int) -> bytes:
    """Go on where a set of this transaction holds the address; its element counts the packet."""
    return expression("lookup", text(1, set_name), number(2, _REGISTER), number(4, set_id))


def jump_by(set_name: str, set_id: int) -> bytes:
    """Go on in the chain to which a map of this transaction maps the address."""
    return expression("lookup", text(1, set_name), number(2, _REGISTER), number(3, _VERDICT_REGISTER), number(4, set_id))


def jump(chain: str) -> bytes:
    """Go on in another chain, and come back."""
    return expression("immediate", number(1, _VERDICT_REGISTER), jump_value(2, chain))


def leave() -> bytes:
    """Go back to the chain before."""
    return expression("immediate", number(1, _VERDICT_REGISTER), nested(2, nested(_VERDICT, number(1, _RETURN))))


def jump_value(kind: int, chain: str) -> bytes:
    """Give the value, as an attribute, that makes a packet go on in another chain."""
    return nested(kind, nested(_VERDICT, number(1, _JUMP), text(2, chain)))


def _meta(key: int) -> bytes:
    return expression("meta", number(1, _REGISTER), number(2, key))


def _equals(value: bytes) -> bytes:
    return expression("cmp", number(1, _REGISTER), number(2, 0), nested(3, attribute(_VALUE, value)))
