"""Rules that change all the time, and leave it known what each label counts.

Owns the changes: the label ``PASSING`` gets another prefix, of addresses that send nothing, or a label of the traffic has its prefix in one
piece or in halves.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network
from random import Random
from typing import Any

from urllib3.exceptions import HTTPError

Prefix = IPv4Network | IPv6Network

PASSING = "passing"
_PERIOD = 1.0


def rules_of(prefixes: Sequence[Prefix]) -> dict[str, list[dict[str, str]]]:
    """Give the rules by which a label counts what prefixes send out and are sent."""
    sent_out = [{"direction": "egress", "source_ip_prefix": str(prefix)} for prefix in prefixes]
    received = [{"direction": "ingress", "destination_ip_prefix": str(prefix)} for prefix in prefixes]
    return {"rules": [*sent_out, *received]}


class RuleChanges:
    """Changes the rules each second between ``start`` and ``stop``, while the server can be asked."""

    def __init__(self, ask: Callable[[str, str, object], Any], prefixes: Mapping[str, Prefix], seed: int) -> None:
        """Ask the server by method, path and form; ``prefixes`` are those of the traffic's labels by label id."""
        self._ask = ask
        self._prefixes = prefixes
        self._chance = Random(seed)  # noqa: S311 - chance that can be repeated is wanted
        self._passing_id = ""
        self._stopping = threading.Event()
        self._changing = threading.Thread(target=self._change, daemon=True)
        self.made = 0
        """How many changes the server took."""

    def start(self, passing_id: str) -> None:
        """Begin to change rules; ``passing_id`` is the id of the label ``PASSING``."""
        self._passing_id = passing_id
        self._changing.start()

    def stop(self) -> None:
        """Change no more."""
        self._stopping.set()
        if self._changing.is_alive():
            self._changing.join()

    def _change(self) -> None:
        while not self._stopping.wait(_PERIOD):
            with suppress(HTTPError):
                self._change_one()
                self.made += 1

    def _change_one(self) -> None:
        if self._chance.random() < 0.5:
            prefix = IPv4Network((f"198.18.{self._chance.randrange(256)}.0", 24))
            self._ask("PUT", f"/v1/labels/{self._passing_id}/rules", rules_of([prefix]))
            return
        label_id, prefix_of_label = self._chance.choice(sorted(self._prefixes.items()))
        halves: list[Prefix] = list(prefix_of_label.subnets())
        pieces = [prefix_of_label] if self._chance.random() < 0.5 else halves
        self._ask("PUT", f"/v1/labels/{label_id}/rules", rules_of(pieces))
