"""Rules as each program takes them: a rules file of venturi, a networks file of pmacct, a filter of nfdump.

Owns their spelling. Every prefix is one label: what leaves from it and what comes to it.
"""

import json

from bench.inputs.prefixes import INSIDE, allocate


def spell_rules_file(family: int, count: int) -> str:
    """Spell a rules file of ``count`` labels in JSON."""
    labels = [
        {
            "name": f"customer-{number:06d}",
            "rules": [
                {"direction": "egress", "source_ip_prefix": prefix},
                {"direction": "ingress", "destination_ip_prefix": prefix},
            ],
        }
        for number, prefix in enumerate(allocate(count).spell(family), start=1)
    ]
    return json.dumps({"inside": [INSIDE[family]], "labels": labels})


def spell_networks_file(family: int, count: int) -> str:
    """Spell the ``networks_file`` of pmacct."""
    return "".join(f"{prefix}\n" for prefix in allocate(count).spell(family))


def spell_filter(count: int) -> str:
    """Spell an nfdump filter of the sources alone, half of what labels count and so less than half of the work."""
    return " or\n".join(f"src net {prefix}" for prefix in allocate(count).spell(4)) + "\n"
