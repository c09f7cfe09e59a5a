"""Neutron's layout: a chain of rules for each label, all of them jumped to for every packet.

Owns its text as ``iptables-restore`` takes it, made as Neutron's metering agent makes it, and the reading of its counters.
"""

import re
import subprocess
from collections.abc import Sequence

from bench.dataplane.figures import NEUTRON_LEGACY, NEUTRON_NFT
from bench.dataplane.labels import EXCLUDED, labelled_prefix
from bench.dataplane.layouts import LabelCounts, no_counts
from bench.dataplane.routers import EXTERNAL_DEVICE
from bench.measure.processes import ProgramFailedError, find_program
from venturi.adapters.network.namespaces import inside
from venturi.core.domain.label import LabelWithRules

BACKENDS = {NEUTRON_LEGACY: "legacy", NEUTRON_NFT: "nft"}
"""The two implementations of iptables, by name of the layout."""

_PROGRAMS = {4: "iptables", 6: "ip6tables"}
_IDENTITY_LETTERS = 12
_FRAME = (
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":neutron-filter-top - [0:0]",
    ":neutron-meter-FORWARD - [0:0]",
    ":neutron-meter-local - [0:0]",
    "-A FORWARD -j neutron-filter-top",
    "-A FORWARD -j neutron-meter-FORWARD",
    "-A neutron-filter-top -j neutron-meter-local",
)
_COUNTED = re.compile(r"^\[(\d+):(\d+)\] -A neutron-meter-l-(\S+)$", re.MULTILINE)


class NeutronLayout:
    """Neutron's chains for labels of one family, in one of the ``BACKENDS``."""

    def __init__(self, name: str, labels: Sequence[LabelWithRules]) -> None:
        """Nothing is installed yet."""
        self.name = name
        self._labels = labels
        self._program = f"{_PROGRAMS[labelled_prefix(labels[0]).family]}-{BACKENDS[name]}"
        self._namespace = ""

    @property
    def installable(self) -> bool:
        """Whether this machine has the program."""
        return find_program(f"{self._program}-restore") is not None

    def install(self, namespace: str) -> None:
        """Restore all chains at once."""
        self._namespace = namespace
        self._run("-restore", given=spell_chains(self._labels))

    def counts(self) -> LabelCounts:
        """Read the counter of each label's own chain."""
        numbers = {_chain_suffix(entry): number for number, entry in enumerate(self._labels)}
        counts = no_counts(len(self._labels))
        for packets, octets, suffix in _COUNTED.findall(self._run("-save", "-c", "-t", "filter")):
            counts.packets[numbers[suffix]] = int(packets)
            counts.octets[numbers[suffix]] = int(octets)
        return counts

    def remove(self) -> None:
        """Leave it to the namespace, which takes its rules along."""

    def _run(self, suffix: str, *options: str, given: str = "") -> str:
        command = [str(find_program(self._program + suffix)), *options]
        with inside(self._namespace):
            done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode:
            message = f"{self._program}{suffix} failed with {done.returncode}:\n{done.stderr[-1000:]}"
            raise ProgramFailedError(message)
        return done.stdout


def spell_chains(labels: Sequence[LabelWithRules]) -> str:
    """Spell the chains of all labels for ``iptables-restore``."""
    declared = [f":neutron-meter-{kind}-{_chain_suffix(entry)} - [0:0]" for entry in labels for kind in "lr"]
    rules = [line for entry in labels for line in _spell_label(entry)]
    return "\n".join((*_FRAME[:7], *declared, *_FRAME[7:], *rules, "COMMIT", ""))


def _spell_label(entry: LabelWithRules) -> list[str]:
    suffix, prefix = _chain_suffix(entry), labelled_prefix(entry)
    chain, counter = f"neutron-meter-r-{suffix}", f"neutron-meter-l-{suffix}"
    return [
        f"-A neutron-meter-FORWARD -j {chain}",
        f"-A {counter}",
        f"-A {chain} -d {EXCLUDED[prefix.family]} -o {EXTERNAL_DEVICE} -j RETURN",
        f"-A {chain} -s {prefix} -o {EXTERNAL_DEVICE} -j {counter}",
        f"-A {chain} -d {prefix} -i {EXTERNAL_DEVICE} -j {counter}",
    ]


def _chain_suffix(entry: LabelWithRules) -> str:
    return entry.label.id[:_IDENTITY_LETTERS]
