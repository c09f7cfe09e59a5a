"""What the kernel keeps of who counts what: names and comments of tables, sets and rules.

Owns their spelling. Comments lie in the user data of nf_tables as nft itself puts them there, so that ``nft list ruleset`` shows them.
"""

import hashlib
import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from venturi.adapters.drivers.nftables.netlink import read_text
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import DriverError, InvalidPointError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import PointTraffic

_LAYOUT = 1
"""The version of all that is put into the kernel; tables of another are left alone."""

_TABLE_COMMENT, _SET_COMMENT, _RULE_COMMENT = 0, 7, 0
_LONGEST_COMMENT = 128
_TABLE = re.compile(rf"layout {_LAYOUT} meters (?P<traffic>forwarded|local|both) traffic at (?P<device>\S+) for (?P<point>\S*)")
_GENERATION = re.compile(r"(?P<spool>\w+) (?P<digest>\w*) device (?P<device>\d+) rules (?P<rules>\d+)")
_MARKER_PREFIX, _COUNTS_PREFIX, _JUMPS_PREFIX, _FINGERPRINT_PREFIX = "generation_", "counts_", "jumps_", "fingerprint_"
_FINGERPRINT = re.compile(r"made as (?P<digest>[0-9a-f]{64})")
_OWNER = re.compile(r"(?:^|_)(?P<id>[0-9a-f]{32})(?:_|$)")
_SIDES = "sd"
_COUNTS_NAME = re.compile(r"counts_(?P<id>[0-9a-f]{32})_(?P<direction>ingress|egress)_(?P<family>[46])_(?P<outer>none|[sd]\d+)_\d+")


class KeptGeneration(NamedTuple):
    """A generation, the ifIndex of the device that it was made for, and how many rules it has when it is whole."""

    generation: Generation
    device_index: int
    rules: int


def table_name(prefix: str, metered: MeteredDevice) -> str:
    """Name the table of a metered device, in its namespace."""
    digest = hashlib.blake2s(_table_comment(metered).encode(), digest_size=8)
    return f"{prefix}_{digest.hexdigest()}"


def table_user_data(metered: MeteredDevice) -> bytes:
    """Say in a table's comment what is metered; raises ``DriverError`` where the id of the point is too long for one."""
    return _comment(_TABLE_COMMENT, _table_comment(metered))


def read_metered(user_data: memoryview, namespace: str | None) -> MeteredDevice | None:
    """Read what ``table_user_data`` said; None where somebody else, or another layout, did."""
    found = _TABLE.fullmatch(_read_comment(user_data, _TABLE_COMMENT))
    if found is None:
        return None
    point_id, device = unquote(found["point"]), unquote(found["device"])
    return MeteredDevice(point_id=point_id, device=device, namespace=namespace, traffic=PointTraffic(found["traffic"]))


def marker_name(generation: Generation) -> str:
    """Name the empty set whose comment says which generation there is."""
    return f"{_MARKER_PREFIX}{generation.id}"


def marker_user_data(kept: KeptGeneration) -> bytes:
    """Say in the comment of a marker what is kept of a generation."""
    generation = kept.generation
    comment = f"{generation.spool_id} {generation.digest} device {kept.device_index} rules {kept.rules}"
    return _comment(_SET_COMMENT, comment)


def fingerprint_name(generation: Generation) -> str:
    """Name the empty set whose comment is the generation's fingerprint."""
    return f"{_FINGERPRINT_PREFIX}{generation.id}"


def fingerprint_user_data(digest: str) -> bytes:
    """Say in a comment how a generation was made."""
    return _comment(_SET_COMMENT, f"made as {digest}")


def read_fingerprint(user_data: memoryview) -> str:
    """Read what ``fingerprint_user_data`` said, "" where nothing did."""
    found = _FINGERPRINT.fullmatch(_read_comment(user_data, _SET_COMMENT))
    return "" if found is None else found["digest"]


def read_generation(name: str, user_data: memoryview) -> KeptGeneration | None:
    """Read what a marker says; None for other sets."""
    found = _GENERATION.fullmatch(_read_comment(user_data, _SET_COMMENT))
    if found is None:
        return None
    try:
        generation = Generation(id=name.removeprefix(_MARKER_PREFIX), spool_id=found["spool"], digest=found["digest"])
    except InvalidPointError:
        return None
    return KeptGeneration(generation, int(found["device"]), int(found["rules"]))


class CountsPlace(NamedTuple):
    """What the elements of a set count: packets of a direction and family, of one class on one side.

    ``outer_side`` is 0 where that is the source class and 1 where it is the destination class, the element's own class is that of the
    other side. An ``outer_class`` of ``NO_CLASS`` counts what found no room.
    """

    direction: Direction
    family: int
    outer_side: int
    outer_class: int


NO_CLASS = -1


def direction_chain(generation: Generation, direction: Direction) -> str:
    """Name the chain to which a generation's packets of a direction come first."""
    return f"{direction}_{generation.id}"


def chain_name(generation: Generation, place: CountsPlace) -> str:
    """Name the chain that counts at a place."""
    return f"{_spell_place(place)}_{generation.id}"


def jumps_name(generation: Generation, direction: Direction, family: int) -> str:
    """Name the map that leads packets to the chains of their outer classes."""
    return f"{_JUMPS_PREFIX}{generation.id}_{direction}_{family}"


def counts_name(generation: Generation, place: CountsPlace, length: int) -> str:
    """Name the set that counts at a place by prefixes of a length."""
    return f"{_COUNTS_PREFIX}{generation.id}_{_spell_place(place)}_{length}"


def owner_of(name: str) -> str:
    """Read the generation id out of the name of a chain or set, "" where there is none."""
    found = _OWNER.search(name)
    return "" if found is None else found["id"]


def read_counts_name(name: str, generation: Generation) -> CountsPlace | None:
    """Read what a set counts; None for the sets of others."""
    found = _COUNTS_NAME.fullmatch(name)
    if found is None or found["id"] != generation.id:
        return None
    side, number = (0, NO_CLASS) if found["outer"] == "none" else (_SIDES.index(found["outer"][0]), int(found["outer"][1:]))
    return CountsPlace(Direction(found["direction"]), int(found["family"]), side, number)


def rule_user_data(generation: Generation) -> bytes:
    """Say in the comment of a rule by whose classifier it counts."""
    return _comment(_RULE_COMMENT, generation.id)


def read_rule(user_data: memoryview) -> str:
    """Read the generation id of a rule, "" for other rules."""
    return _read_comment(user_data, _RULE_COMMENT)


def _spell_place(place: CountsPlace) -> str:
    outer = "none" if place.outer_class == NO_CLASS else f"{_SIDES[place.outer_side]}{place.outer_class}"
    return f"{place.direction}_{place.family}_{outer}"


def _table_comment(metered: MeteredDevice) -> str:
    point, device = (quote(name, safe="") for name in (metered.point_id, metered.device))
    return f"layout {_LAYOUT} meters {metered.traffic} traffic at {device} for {point}"


def _comment(kind: int, comment: str) -> bytes:
    """Put a comment into user data; it must hold no quotes, so that nft can read what it lists."""
    octets = comment.encode() + b"\0"
    if len(comment) > _LONGEST_COMMENT:
        message = f"nftables has no room for so long a comment: {comment}"
        raise DriverError(message)
    return bytes([kind, len(octets)]) + octets


def _read_comment(user_data: memoryview, kind: int) -> str:
    place = 0
    while place + 2 <= len(user_data):
        found, length = user_data[place], user_data[place + 1]
        place += 2 + length
        if found == kind:
            return read_text(user_data[place - length : place])
    return ""
