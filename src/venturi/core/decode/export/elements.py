"""The information elements and protocol numbers that concern a meter, by their names at IANA.

Owns numbers only, and only those used. What is made of them is in ``layout`` and ``options``.
"""

from typing import NamedTuple

REVERSE_ENTERPRISE = 29305
"""The private enterprise number of reverse information elements (RFC 5103 §6.1)."""

OCTET_DELTA_COUNT = 1
PACKET_DELTA_COUNT = 2
SOURCE_IPV4_ADDRESS = 8
INGRESS_INTERFACE = 10
DESTINATION_IPV4_ADDRESS = 12
EGRESS_INTERFACE = 14
FLOW_END_SYS_UP_TIME = 21
FLOW_START_SYS_UP_TIME = 22
POST_OCTET_DELTA_COUNT = 23
POST_PACKET_DELTA_COUNT = 24
SOURCE_IPV6_ADDRESS = 27
DESTINATION_IPV6_ADDRESS = 28
SAMPLING_INTERVAL = 34
SAMPLER_ID = 48
SAMPLER_RANDOM_INTERVAL = 50
FLOW_DIRECTION = 61
OCTET_TOTAL_COUNT = 85
PACKET_TOTAL_COUNT = 86
FLOW_START_SECONDS = 150
FLOW_END_SECONDS = 151
FLOW_START_MILLISECONDS = 152
FLOW_END_MILLISECONDS = 153
FLOW_START_MICROSECONDS = 154
FLOW_END_MICROSECONDS = 155
FLOW_START_NANOSECONDS = 156
FLOW_END_NANOSECONDS = 157
FLOW_START_DELTA_MICROSECONDS = 158
FLOW_END_DELTA_MICROSECONDS = 159
SYSTEM_INIT_TIME_MILLISECONDS = 160
FLOW_DURATION_MILLISECONDS = 161
FLOW_DURATION_MICROSECONDS = 162
INITIATOR_OCTETS = 231
RESPONDER_OCTETS = 232
INITIATOR_PACKETS = 298
RESPONDER_PACKETS = 299
SELECTOR_ID = 302
SELECTOR_ALGORITHM = 304
SAMPLING_PACKET_INTERVAL = 305
SAMPLING_PACKET_SPACE = 306
SAMPLING_SIZE = 309
SAMPLING_POPULATION = 310
DATA_LINK_FRAME_SIZE = 312
IP_HEADER_PACKET_SECTION = 313
DATA_LINK_FRAME_SECTION = 315
OBSERVATION_TIME_SECONDS = 322
OBSERVATION_TIME_MILLISECONDS = 323
OBSERVATION_TIME_MICROSECONDS = 324
OBSERVATION_TIME_NANOSECONDS = 325

V9_SCOPE_ENTERPRISE = -1
"""Stands for an enterprise in the fields of NetFlow v9 scopes, which have numbers of their own (RFC 3954 §6.1)."""
V9_SCOPE_INTERFACE = 2

VARIABLE_LENGTH = 65535
"""The length of a field whose records state it themselves (RFC 7011 §7)."""


class Field(NamedTuple):
    """A field specifier of a template: enterprise (0: IANA), information element and length in octets."""

    enterprise: int
    element: int
    length: int


class Template(NamedTuple):
    """A template or options template: ``definition`` holds the octets of its record, as sent in a set of id ``set_id``."""

    number: int
    set_id: int
    fields: tuple[Field, ...]
    is_options: bool
    definition: bytes
