"""Link layers: where the IP header of a frame begins.

Owns the encapsulations below IP: LINKTYPE numbers (the registry of the tcpdump group), EtherTypes, LLC, PPP and label stacks.
What an IP header says is read in ``headers``. Tunnels above IP are not entered: a packet is metered by its outer header.
"""

import numpy as np

from venturi.core.decode.capture.words import Octets, network_16, octet
from venturi.core.domain.drops import DropReason
from venturi.core.kernel import kernel, step

FINE = 0
"""The status of what could be read; any other status is the value of a ``DropReason`` plus 1."""

LINK_ETHERNET = 1
"""The LINKTYPE number of Ethernet."""

_TRUNCATED = int(DropReason.TRUNCATED_HEADER) + 1
_STATUS_NOT_IP = int(DropReason.NOT_IP) + 1
_STATUS_UNSUPPORTED = int(DropReason.UNSUPPORTED_LINK_TYPE) + 1

# What stands at a place of a frame. The first five end the walk; 4 and 6 are the versions that the layer below announces.
_ANY_IP = 0
_IPV4 = 4
_IPV6 = 6
_NOT_IP = 7
_UNSUPPORTED = 8
_TYPE_FIELD = 9
_VLAN_TAG = 10
_LABEL = 11
_PPPOE = 12
_PPP = 13
_LLC = 14
_FAMILY = 15
_COOKED_2 = 16

_NEEDED = np.array([0] * 9 + [2, 2, 5, 6, 2, 8, 4, 20], dtype=np.int64)
"""The octets that must be there to pass each layer."""

_LINKS = {
    0: (_FAMILY, 0),  # BSD loopback, family in the order of the capturing machine
    1: (_TYPE_FIELD, 12),  # Ethernet
    9: (_PPP, 0),
    10: (_LLC, 13),  # FDDI
    12: (_ANY_IP, 0),  # raw IP, as some systems number it
    14: (_ANY_IP, 0),
    50: (_PPP, 0),  # PPP or Cisco HDLC in HDLC-like framing
    51: (_PPPOE, 0),
    100: (_LLC, 0),  # ATM, LLC encapsulation
    101: (_ANY_IP, 0),
    104: (_TYPE_FIELD, 2),  # Cisco HDLC
    108: (_FAMILY, 0),  # OpenBSD loopback, family in network order
    113: (_TYPE_FIELD, 14),  # Linux cooked capture
    204: (_PPP, 1),  # PPP behind an octet of direction
    228: (_IPV4, 0),
    229: (_IPV6, 0),
    276: (_COOKED_2, 0),  # Linux cooked capture, second version
}
"""The first layer of each link type, and where in the frame it begins."""

_ENTRIES = np.array([_LINKS.get(link_type, (_UNSUPPORTED, 0)) for link_type in range(max(_LINKS) + 1)], dtype=np.int64)

# A number of one of these spaces stands for the layer that it announces.
_ETHERTYPES = 1 << 16
_PPP_PROTOCOLS = 2 << 16
_FAMILIES = 3 << 16
_LAYERS = np.array(
    [
        (_ETHERTYPES + 0x0800, _IPV4),
        (_ETHERTYPES + 0x86DD, _IPV6),
        (_ETHERTYPES + 0x8100, _VLAN_TAG),
        (_ETHERTYPES + 0x88A8, _VLAN_TAG),
        (_ETHERTYPES + 0x9100, _VLAN_TAG),
        (_ETHERTYPES + 0x9200, _VLAN_TAG),
        (_ETHERTYPES + 0x8847, _LABEL),
        (_ETHERTYPES + 0x8848, _LABEL),
        (_ETHERTYPES + 0x8864, _PPPOE),
        (_PPP_PROTOCOLS + 0x0021, _IPV4),
        (_PPP_PROTOCOLS + 0x0057, _IPV6),
        (_PPP_PROTOCOLS + 0x0281, _LABEL),
        (_PPP_PROTOCOLS + 0x0283, _LABEL),
        (_FAMILIES + 2, _IPV4),
        (_FAMILIES + 10, _IPV6),  # Linux
        (_FAMILIES + 23, _IPV6),  # Windows
        (_FAMILIES + 24, _IPV6),  # NetBSD, OpenBSD
        (_FAMILIES + 28, _IPV6),  # FreeBSD
        (_FAMILIES + 30, _IPV6),  # Darwin
    ],
    dtype=np.int64,
)
"""Which layer a number announces, by the space that the number is of."""

_LONGEST_802_3 = 1500
_SUBNETWORK_ACCESS = 0xAAAA
_IP_ACCESS = 0x0606


@kernel
def find_network_header(buffer: Octets, offset: int, captured: int, link_type: int) -> tuple[int, int, int]:
    """Find the IP header in the ``captured`` octets at ``offset``: its status, its place in the buffer and its version.

    The version is what the layer below announces: 4, 6, or 0 where only the header itself tells.
    Passes VLAN tags (IEEE 802.1Q, 802.1ad), LLC and SNAP (RFC 1042), MPLS (RFC 3032), PPPoE (RFC 2516) and PPP (RFC 1661).
    """
    end = offset + captured
    layer, place = _UNSUPPORTED, offset
    if 0 <= link_type < len(_ENTRIES):
        layer = _ENTRIES[link_type, 0]
        place = offset + _ENTRIES[link_type, 1]
    while layer > _UNSUPPORTED:
        if place + _NEEDED[layer] > end:
            return _TRUNCATED, place, 0
        layer, place = _pass_layer(buffer, place, layer)
        if layer >= _ETHERTYPES:
            layer = _announced(layer)
    if layer > _IPV6:
        return (_STATUS_NOT_IP if layer == _NOT_IP else _STATUS_UNSUPPORTED), place, 0
    return FINE, place, layer


@step
def _announced(number: int) -> int:
    """Look up which layer a number announces. IEEE 802.3 has the length of an LLC frame for an EtherType, Linux a 4."""
    if _ETHERTYPES <= number <= _ETHERTYPES + _LONGEST_802_3:
        return _LLC
    layer: int = _NOT_IP
    for row in range(len(_LAYERS)):
        if _LAYERS[row, 0] == number:
            layer = _LAYERS[row, 1]
    return layer


@step
def _pass_layer(buffer: Octets, place: int, layer: int) -> tuple[int, int]:
    """Step over one encapsulation, whose ``_NEEDED`` octets are there, to a layer or its number; every step moves on or ends the walk."""
    first = network_16(buffer, place)
    if layer == _TYPE_FIELD:
        return _ETHERTYPES + first, place + 2
    if layer == _VLAN_TAG:
        return _TYPE_FIELD, place + 2
    if layer == _COOKED_2:
        return _ETHERTYPES + first, place + 20
    if layer == _PPPOE:
        return (_PPP if first & 0xFF == 0 else _NOT_IP), place + 6
    if layer == _PPP:
        return _pass_ppp(first, place)
    second = network_16(buffer, place + 2)
    if layer == _LABEL:
        return _pass_label(buffer, place, second), place + 4
    if layer == _LLC:
        return _pass_llc(first, second, network_16(buffer, place + 4)), place + (3 if first == _IP_ACCESS else 6)
    # Loopback: all families fit one octet, so the number itself tells its byte order
    return _FAMILIES + (second if first == 0 else first >> 8 if first & 0xFF == 0 and second == 0 else 0), place + 4


@step
def _pass_label(buffer: Octets, place: int, second: int) -> int:
    """Below the last label the first nibble alone tells IP from a pseudowire or an associated channel (RFC 4928)."""
    if second & 0x100 == 0:
        return _LABEL
    return _ANY_IP if octet(buffer, place + 4) >> 4 in (4, 6) else _NOT_IP


@step
def _pass_ppp(first: int, place: int) -> tuple[int, int]:
    """Pass address, control and protocol, which may be left out or compressed (RFC 1661 §6.5, §6.6); Cisco HDLC has a type instead."""
    if first in (0x0F00, 0x8F00):
        return _TYPE_FIELD, place + 2
    if first == 0xFF03:
        return _PPP, place + 2
    if first & 0x100:
        return _PPP_PROTOCOLS + (first >> 8), place + 1
    return _PPP_PROTOCOLS + first, place + 2


@step
def _pass_llc(access_points: int, second: int, third: int) -> int:
    """IP stands behind SNAP with an EtherType (RFC 1042, IEEE 802.1H), or at an access point of its own (RFC 948)."""
    if second >> 8 != 0x03:
        return _NOT_IP
    if access_points == _IP_ACCESS:
        return _IPV4
    organisation = (second & 0xFF) << 16 | third
    return _TYPE_FIELD if access_points == _SUBNETWORK_ACCESS and organisation in (0x000000, 0x0000F8) else _NOT_IP
