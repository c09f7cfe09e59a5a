"""Labels as rules of iptables by which each counts a packet once, beside any driver.

Owns the layout: per label and direction a chain of its rules, of which the first that matches returns or goes to the chain that counts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.support.kernel.router import OUTER, run
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabelRule

PROGRAMS = {4: "iptables-legacy", 6: "ip6tables-legacy"}

_DEVICES = {Direction.EGRESS: f"-o {OUTER}", Direction.INGRESS: f"-i {OUTER}"}


def install(namespace: str, labels: Sequence[LabelWithRules]) -> None:
    """Count labels in a namespace, in place of what was in its filter tables."""
    for family, program in PROGRAMS.items():
        run("ip", "netns", "exec", namespace, f"{program}-restore", stdin="\n".join(_lines(labels, family)))


def read(namespace: str) -> Mapping[tuple[str, Direction], Counts]:
    """Give what was counted, of labels and directions that were seen, by the number of the label."""
    counted: defaultdict[tuple[str, Direction], Counts] = defaultdict(Counts)
    for program in PROGRAMS.values():
        for line in run("ip", "netns", "exec", namespace, f"{program}-save", "-c").splitlines():
            if "-A count-" in line:
                figures, _, chain, *_ = line.split()
                _, number, direction = chain.split("-")
                counted[number, Direction(direction)] += Counts(*map(int, figures.strip("[]").split(":")))
    return {key: counts for key, counts in counted.items() if counts.packets}


def _lines(labels: Sequence[LabelWithRules], family: int) -> Iterator[str]:
    yield "*filter"
    chains = [(number, direction) for number in range(len(labels)) for direction in _DEVICES]
    for number, direction in chains:
        yield f":rules-{number}-{direction} - [0:0]"
        yield f":count-{number}-{direction} - [0:0]"
    for number, direction in chains:
        yield f"-A FORWARD {_DEVICES[direction]} -j rules-{number}-{direction}"
        yield f"-A count-{number}-{direction}"
        rules = [rule for rule in labels[number].rules if rule.direction is direction and rule.family == family]
        for rule in sorted(rules, key=lambda rule: not rule.excluded):
            yield f"-A rules-{number}-{direction} {_match(rule)} " + ("-j RETURN" if rule.excluded else f"-g count-{number}-{direction}")
    yield "COMMIT\n"


def _match(rule: MeteringLabelRule) -> str:
    sides = (("-s", rule.source_ip_prefix), ("-d", rule.destination_ip_prefix))
    return " ".join(f"{option} {prefix.network}" for option, prefix in sides if prefix is not None)
