"""What is measured of the data plane, as values that pass from the measuring process to the one that reports.

Owns names and units; imports nothing large, so that the reporting process stays small.
"""

from dataclasses import dataclass, field

NO_METERING = "no metering"
SENDING_ALONE = "sending alone"
"""Frames that the router drops as it receives them: what of the time is not the router's."""
NEUTRON_LEGACY = "Neutron's chains, iptables-legacy"
NEUTRON_NFT = "Neutron's chains, iptables-nft"
EBPF_FORWARD = "venturi, eBPF on FORWARD"
EBPF_TCX = "venturi, eBPF tcx"
NFTABLES = "venturi, nftables"

VENTURI_LAYOUTS = (EBPF_FORWARD, EBPF_TCX, NFTABLES)
NEUTRON_LAYOUTS = (NEUTRON_LEGACY, NEUTRON_NFT)


@dataclass(frozen=True)
class Forwarding:
    """What forwarding took with one layout: medians over the rounds.

    ``nanoseconds`` is what a packet took, sending included, ``added`` what it took more than without metering, ``share`` the throughput
    of the latter that is left.
    """

    family: int
    labels: int
    layout: str
    nanoseconds: float
    added: float
    share: float


@dataclass(frozen=True)
class Operations:
    """What a driver took for all labels, in seconds, medians.

    ``reading`` gives the counters of a generation. ``change`` is the time until the kernel counts by rules of which one has changed, and
    which were compiled before, in ``compilation``; ``last_reading`` is that of the generation before, its grace period included.
    """

    family: int
    labels: int
    layout: str
    reading: float
    compilation: float
    change: float
    last_reading: float


@dataclass
class DataplaneFigures:
    """All figures of a run, and remarks about what was left out."""

    forwarding: list[Forwarding] = field(default_factory=list)
    operations: list[Operations] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
