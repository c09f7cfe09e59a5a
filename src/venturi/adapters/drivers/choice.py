"""What an operator can ask for of drivers, as values that settings can hold without loading any."""

from enum import StrEnum


class DriverChoice(StrEnum):
    """Which driver to count by; ``AUTO`` is the first, in order of preference, that the host can run."""

    AUTO = "auto"
    EBPF = "ebpf"
    NFTABLES = "nftables"
