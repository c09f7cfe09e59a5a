"""Why traffic was not counted: every drop has a reason, a number and a first position.

Owns the reasons and their table. What to do about a drop is decided elsewhere.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class DropReason(IntEnum):
    """The reasons, as row numbers of a drop table; the lower-case name is the reason's spelling in reports."""

    # Containers: pcap, pcapng, datagram files, flow-record files
    TRUNCATED_FILE = 0
    """The file ends within a record; what lies before the cut is counted."""
    BAD_RECORD_LENGTH = 1
    """A record of the file states an impossible length; the rest of the file cannot be read."""
    BAD_BLOCK = 2
    """A pcapng block contradicts itself, or refers to an interface that was never described."""
    UNSUPPORTED_LINK_TYPE = 3
    """The frame is of a link layer that venturi does not decode."""
    BAD_COMPRESSION = 4
    """The compressed stream is damaged; what was decompressed before is counted."""
    # Frames and packets
    NOT_IP = 5
    """The frame carries no IP packet (ARP, STP, LLDP, pseudowires, …)."""
    TRUNCATED_HEADER = 6
    """The capture or the sample kept too little of the packet to read its IP header."""
    BAD_IP_HEADER = 7
    """The IP header contradicts itself (version, header length, total length), or claims more octets than the frame held on the wire."""
    # Export messages
    NOT_EXPORT = 8
    """The packet carries no flow export message, in an input that is metered as flow export."""
    MALFORMED_MESSAGE = 9
    """The export message ends early, or its lengths do not add up."""
    MALFORMED_SET = 10
    """A set or sample states a length that does not fit its message."""
    MALFORMED_TEMPLATE = 11
    """A template states a field count or length that does not fit its set, or defines records of no length."""
    MALFORMED_RECORD = 12
    """A record does not fit its set."""
    NO_TEMPLATE = 13
    """A data set whose template never came; counted in sets."""
    TEMPLATE_LIMIT = 14
    """More templates, exporters or waiting data than the collector keeps."""
    NO_COUNTS = 15
    """The flow record has no octets or packets that could be metered (NAT and security events)."""
    NO_ADDRESSES = 16
    """The sample tells of no IP packet."""
    COUNTER_OUT_OF_RANGE = 17
    """The record states more packets or octets than any flow can have (above 2^56), or fewer than zero."""
    # Metering
    DUPLICATE_EXPORT = 18
    """The exporter metered the same packets at another of its interfaces too."""
    OUTSIDE_WINDOW = 19
    """All or part of the traffic lies outside the times asked for."""
    # Records of columnar files
    BAD_VALUE = 20
    """A value of a flow-record file is not what its column says (an address, a count, a time)."""
    FRAGMENTED_EXPORT = 21
    """A fragment of an export datagram whose other fragments are not in the capture."""
    REVISED_EXPORT = 22
    """An export message of a version or form that venturi does not decode."""
    UNKNOWN_VERSION = 23
    """A section of a pcapng file, or a pcap file, of a version that venturi does not know; what follows in it is skipped."""

    @property
    def wire_name(self) -> str:
        """The reason as reports spell it."""
        return self.name.lower()


MAXIMUM_COUNT = 1 << 56
"""The highest number of packets or octets that one record may state."""


class Drop(NamedTuple):
    """How often a reason applied, and where first (frame, record or octet offset, as the source numbers them)."""

    count: int  # type: ignore[assignment] # a drop is no list to be counted in
    first_position: int


def new_drop_table() -> NDArray[np.int64]:
    """Make an empty drop table: int64, shape (reasons, 2); column 0 counts, column 1 is the first position."""
    return np.zeros((len(DropReason), 2), dtype=np.int64)


def add_drop(table: NDArray[np.int64], reason: DropReason, position: int, count: int = 1) -> None:
    """Count ``count`` drops under ``reason``, keeping the position of the first."""
    if table[reason, 0] == 0:
        table[reason, 1] = position
    table[reason, 0] += count


def list_drops(table: NDArray[np.int64]) -> dict[DropReason, Drop]:
    """Give the reasons that applied, in the order of the enumeration."""
    return {reason: Drop(int(table[reason, 0]), int(table[reason, 1])) for reason in DropReason if table[reason, 0]}
