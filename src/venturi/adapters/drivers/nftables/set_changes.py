"""The sets of a generation, as changes of a transaction in which they are known by numbers.

Owns their kinds. All of them have names: a set or map is made in one transaction and searched only after a later one.
"""

from collections.abc import Sequence

from venturi.adapters.drivers.nftables.elements import in_messages
from venturi.adapters.drivers.nftables.expressions import counter
from venturi.adapters.drivers.nftables.netlink import Change, Verb, attribute, nested, number, text
from venturi.core.domain.prefix import ADDRESS_BITS

_INTERVAL, _MAP = 0x4, 0x8

_ADDRESS_TYPES = {4: 7, 6: 8}
_MARK_TYPE, _VERDICT_TYPE = 19, 0xFFFF_FF00
_MARK_OCTETS, _VERDICT_OCTETS = 4, 16


class SetChanges:
    """Collects the ``changes`` that make sets in a table."""

    def __init__(self, table: str) -> None:
        self._table = text(1, table)
        self.changes: list[Change] = []
        self._last_id = 0

    def add_marker(self, name: str, user_data: bytes) -> None:
        """Make a set that holds nothing but its comment, and that no rule searches."""
        self._add(name, number(3, 0), number(4, _MARK_TYPE), number(5, _MARK_OCTETS), attribute(13, user_data))

    def add_prefixes(self, name: str, family: int, elements: Sequence[bytes]) -> int:
        """Make a set of addresses that count; gives its number."""
        room = nested(9, number(1, len(elements)))
        return self._fill(name, self._add(name, number(3, 0), _address_key(family), room, counter(17)), elements)

    def add_intervals(self, name: str, family: int, elements: Sequence[bytes]) -> int:
        """Make a set of intervals that count; gives its number."""
        return self._fill(name, self._add(name, number(3, _INTERVAL), _address_key(family), counter(17)), elements)

    def add_jumps(self, name: str, family: int, elements: Sequence[bytes]) -> int:
        """Make a map of intervals that leads to chains; gives its number."""
        verdicts = number(6, _VERDICT_TYPE) + number(7, _VERDICT_OCTETS)
        return self._fill(name, self._add(name, number(3, _INTERVAL | _MAP), _address_key(family), verdicts), elements)

    def _add(self, name: str, *attributes: bytes) -> int:
        self._last_id += 1
        self.changes.append(Change(Verb.NEW_SET, self._table + text(2, name) + number(10, self._last_id) + b"".join(attributes)))
        return self._last_id

    def _fill(self, name: str, set_id: int, elements: Sequence[bytes]) -> int:
        place = self._table + text(2, name) + number(4, set_id)
        self.changes += [Change(Verb.NEW_ELEMENTS, place + nested(3, some)) for some in in_messages(elements)]
        return set_id


def _address_key(family: int) -> bytes:
    return number(4, _ADDRESS_TYPES[family]) + number(5, ADDRESS_BITS[family] // 8)
