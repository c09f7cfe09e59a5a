"""The table of a demonstration: what was metered beside what was sent.

Owns its look.
"""

from collections.abc import Mapping

from rich.table import Table

from venturi.core.domain.counts import Counts
from venturi.interfaces.render.quantities import Units, format_count, format_octets
from venturi.interfaces.render.ruled_box import RULED
from venturi.interfaces.up.demo_traffic import Account

_NUMBERS = ("packets sent", "packets metered", "octets sent", "octets metered")


def demo_table(sent: Mapping[Account, Counts], metered: Mapping[Account, Counts], title: str) -> Table:
    """Make the table; what is equal to the octet is marked."""
    table = Table(title=title, title_justify="left", title_style="", box=RULED, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for heading in ("label", "direction"):
        table.add_column(heading)
    for heading in _NUMBERS:
        table.add_column(heading, justify="right")
    table.add_column("")
    for account in sorted(sent):
        wanted, found = sent[account], metered.get(account, Counts())
        packets = (format_count(wanted.packets), format_count(found.packets))
        octets = (format_octets(wanted.octets, Units.OCTETS), format_octets(found.octets, Units.OCTETS))
        table.add_row(account[0], account[1].value, *packets, *octets, "equal" if wanted == found else "")
    return table
