"""The digest of a set of rules: what identifies a classifier, on the server as at every agent.

Owns the normal form of a rule. Nothing here compiles, so that whoever only names classifiers loads no arrays.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from venturi.core.domain.label import MeteringLabelRule


def normal_form(rule: MeteringLabelRule) -> str:
    """Spell what a rule matches on one line: label id, direction, masked source and destination prefix or ``-``, included or excluded."""
    sides = (rule.source_ip_prefix, rule.destination_ip_prefix)
    prefixes = " ".join("-" if prefix is None else str(prefix.network) for prefix in sides)
    return f"{rule.metering_label_id} {rule.direction} {prefixes} {'excluded' if rule.excluded else 'included'}"


def normal_forms(rules: Iterable[MeteringLabelRule]) -> list[str]:
    """List the normal forms of ``rules``, each once, in order."""
    return sorted({normal_form(rule) for rule in rules})


def digest_of(forms: Iterable[str]) -> str:
    """Identify ordered normal forms: SHA-256, in hexadecimal, of their lines. Names and order of labels do not enter."""
    digest = hashlib.sha256()
    for number, form in enumerate(forms):
        digest.update(f"\n{form}".encode() if number else form.encode())
    return digest.hexdigest()


DIGEST_FORMS: tuple[Callable[[Sequence[str]], str], ...] = (digest_of,)
"""Every form of digest by which agents have named a classifier, the present one first: a ledger takes all of them, for good."""


def digests_of(forms: Sequence[str]) -> list[str]:
    """Identify ordered normal forms in every form of digest, the present one first."""
    return [digest(forms) for digest in DIGEST_FORMS]
