"""What passes in a demonstration, and by which labels it is metered.

Owns the laboratory's projects, their labels and streams. Metering it is for the agent.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from venturi.adapters.laboratory.network import LaboratoryHost, LaboratoryNetwork
from venturi.adapters.laboratory.traffic import Stream
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction

PROJECTS = ("red", "green", "blue")
"""The projects behind the router, each with a label of its name."""

Account = tuple[str, Direction]
"""A label by its name, and a direction."""

_SIZES = {"red": (1400,), "green": (64, 512, 1400), "blue": (1, 200)}
_RATES = {"red": 400, "green": 200, "blue": 600}


def demo_streams(network: LaboratoryNetwork) -> list[Stream]:
    """Have each project send and receive, by both families, packets of its own sizes and rate."""
    ways = [way for host in network.projects for way in ((host, host, network.outside), (host, network.outside, host))]
    return [
        Stream(sender=sender, receiver=receiver, family=family, sizes=_SIZES[host.name], rate=_RATES[host.name] // family)
        for host, sender, receiver in ways
        for family in (4, 6)
    ]


def demo_rules(host: LaboratoryHost) -> list[dict[str, object]]:
    """Give the rules by which a label counts all that a project's host sends and receives."""
    prefixes = (str(host.prefix_v4), str(host.prefix_v6))
    sending: list[dict[str, object]] = [{"direction": Direction.EGRESS, "source_ip_prefix": prefix} for prefix in prefixes]
    return sending + [{"direction": Direction.INGRESS, "destination_ip_prefix": prefix} for prefix in prefixes]


def sum_sent(sent: Sequence[tuple[Stream, Counts]], outside: LaboratoryHost) -> Mapping[Account, Counts]:
    """Sum what streams have sent by the label that counts it."""
    sums: defaultdict[Account, Counts] = defaultdict(Counts)
    for stream, counts in sent:
        account = (stream.sender.name, Direction.EGRESS) if stream.receiver == outside else (stream.receiver.name, Direction.INGRESS)
        sums[account] += counts
    return sums
