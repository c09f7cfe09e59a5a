"""The tables and the cursor that the compiled walks share with the Python around them.

Owns the meaning of every slot. No code that decodes lives here.

A walk runs until it meets something that only Python can settle (a new template, say), leaves the place in its cursor,
returns an ``Event`` and is entered again once that is settled. It has had no effect yet at the place where it stopped.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Event(IntEnum):
    """Why a walk stopped."""

    DONE = 0
    """All datagrams are walked."""
    NEED_ROOM = 1
    """The columns are full: ``NEEDED`` more rows are wanted."""
    NEW_DOMAIN = 2
    """The observation domain described by the key in the cursor is not known yet."""
    NEW_RATE = 3
    """The sampling rate whose key is in the cursor has no number yet."""
    TEMPLATE_SET = 4
    """A set of templates that differ from those known lies at ``SET_START``."""
    OPTIONS_SET = 5
    """A data set lies at ``SET_START`` whose options concern the meter."""
    UNKNOWN_TEMPLATE = 6
    """The data set at ``SET_START`` has no template yet."""
    SFLOW_DATAGRAM = 7
    """The datagram is one of sFlow, which has a walk of its own."""


CONTINUE = -1
"""Inside the walks: nothing to settle, the message is at its end."""
BLOCK = -2
"""Inside the walks: the cursor describes records to be written."""
SKIPPED = -3
"""Inside the walks: the datagram holds nothing to walk."""

# Columns of the cursor, int64
DATAGRAM = 0  # row of the datagram being walked
IN_MESSAGE = 1  # 1 while between the first and the last set of its message
OFFSET = 2  # where the next set or sample begins in the buffer
MESSAGE_END = 3  # where the message ends
VERSION = 4  # 5, 9, 10, or SFLOW
DOMAIN = 5  # number of the observation domain
SEQUENCE = 6  # sequence number of the message
MESSAGE_RECORDS = 7  # data records seen in the message
UNCOUNTABLE = 8  # 1 if the message held records that could not be counted
EXPORT_TIME = 9  # of the message, nanoseconds since the epoch
UPTIME = 10  # of the exporter at EXPORT_TIME in milliseconds, modulo 2^32, or -1
REFERENCE_TIME = 11  # time of receipt, else of export; of sFlow, which states none, ``UNTIMED``
RATE = 12  # number of the sampling rate that the message states, or -1
SET_START = 13
SET_END = 14
SET_ID = 15
ROW = 16  # rows written
NEEDED = 17  # rows wanted at NEED_ROOM
REPLAY = 18  # 1 if sets are walked that waited for their template: sequence numbers are not looked at
SAMPLES_LEFT = 19  # of an sFlow datagram
POSITION = 20  # of the datagram, for drop reports
# statistics, which only grow
RECORDS = 21
OPTIONS_RECORDS = 22
COUNTER_SAMPLES = 23
REPLACED_TIMES = 24
# limits, which the walks only read
MAXIMUM_SKEW = 25  # nanoseconds
DOMAINS_FULL = 26  # 1 if no further domain is kept
RATES_FULL = 27  # 1 if no further sampling rate is kept
# the records to be written at BLOCK
BLOCK_FIRST = 28  # place of the first
BLOCK_STRIDE = 29  # octets from one to the next
BLOCK_COUNT = 30
BLOCK_TEMPLATE = 31  # row of their template
BLOCK_LAYOUT = 32  # row of their layout
RECORD_PLACE = 33  # where to go on in a set whose records are walked one by one, or 0
KEY = 34  # the words of the key looked up last
UNREAD_SECTIONS = 41  # rows written whose sections are still to be read
# what the run needs, which the walks only read
NEEDS_TIMES = 42  # 1 if anybody reads when flows were
NEEDS_INTERFACES = 43  # 1 if anybody reads their interfaces
UNTIMED_SAMPLES = 44  # sFlow samples of datagrams without a time of receipt, which only grow
CURSOR_SLOTS = 45

SFLOW = 105
"""``VERSION`` of sFlow version 5 datagrams."""

UNREAD = 255
"""In the family column: the row stands for the section of a packet, described by ``SECTION_*``, that is still to be read."""

# Columns of ``Tables.domains``, int64
EXPORTER = 0  # number in the flow tables
OVERRIDE_RATE = 1  # number of the configured sampling rate, or -1
DEFAULT_RATE = 2  # number of the rate of records that name none
HAS_SAMPLERS = 3  # 1 if options told the rate of a sampler or an interface
INITIAL_TIME = 4  # systemInitTimeMilliseconds told by options, or -1
EXPECTED_SEQUENCE = 5  # or -1 while unknown
MESSAGES = 6
LOST = 7
OUT_OF_ORDER = 8
RESTARTS = 9
DOMAIN_SLOTS = 10

# Columns of ``Tables.templates``, int64
KIND = 0
RECORD_LENGTH = 1  # octets of a record; the shortest possible one where lengths vary
VARIABLE = 2  # 1 if lengths vary
FIRST_FIELD = 3  # in ``Tables.field_lengths``, where lengths vary
FIELD_COUNT = 4
DEFINITION_START = 5  # in ``Tables.definitions``
DEFINITION_LENGTH = 6
DEFINITION_SET = 7  # id of the set that defined it
HAS_REVERSE = 8  # 1 if layout 1 describes the reverse flow of a biflow
HAS_BOTH_FAMILIES = 9
SAMPLING_KIND = 10
START_KIND = 11  # and of the reverse flow in the next column
END_KIND = 13  # and of the reverse flow in the next column
SECTION_LINK = 15  # link type of the packet section, where KIND is PACKET_SECTIONS
DURATION_UNIT = 16  # nanoseconds per unit of DURATION, or 0
TEMPLATE_SLOTS = 17

# Values of KIND
FLOWS = 0
PACKET_SECTIONS = 1  # each record holds the first octets of one packet
OPTIONS = 2  # that concern the meter
OTHER_OPTIONS = 3
WITHOUT_COUNTS = 4

# Rows of a layout; each holds the offset in the record (or the field's number, where lengths vary) and the length, 0 if absent
SOURCE_4 = 0
DESTINATION_4 = 1
SOURCE_6 = 2
DESTINATION_6 = 3
PACKETS = 4
OCTETS = 5
START = 6
END = 7
INPUT = 8
OUTPUT = 9
DIRECTION = 10
SAMPLER = 11
SAMPLING_FIRST = 12
SAMPLING_SECOND = 13
INITIAL = 14  # systemInitTimeMilliseconds
DURATION = 15
SECTION = 16
FRAME_SIZE = 17
ROLES = 18

# Values of SAMPLING_KIND
NO_SAMPLING = 0
SAMPLING_INTERVAL = 1  # one of SAMPLING_FIRST
SAMPLING_SPACE = 2  # SAMPLING_FIRST packets, then a pause of SAMPLING_SECOND
SAMPLING_POPULATION = 3  # SAMPLING_FIRST of SAMPLING_SECOND

# Values of START_KIND and END_KIND
NO_TIME_FIELD = 0
UPTIME_MILLISECONDS = 1
SECONDS = 2
MILLISECONDS = 3
NTP_MICROSECONDS = 4
NTP_NANOSECONDS = 5
DELTA_MICROSECONDS = 6

# First word of a key in ``Tables.numbers``, and what the other two are
TEMPLATE_KEY = 0  # domain, template number: row of the template
RATE_KEY = 1  # two whole numbers: number of the sampling rate that is their quotient
SAMPLER_KEY = 2  # domain, sampler: number of its sampling rate
INTERFACE_KEY = 3  # domain, ifIndex: number of its sampling rate
NUMBER_WORDS = 3

KEY_WORDS = 7
"""Words of the widest key, that of a domain: family and version, addresses in four words, ports, domain id."""


ONE = 1
"""For calls of steps: taken from a module it is any number, while a literal would have the step compiled anew for it."""

Words = NDArray[np.int64]
"""Signed 64-bit words, of any number of dimensions."""


class Tables(NamedTuple):
    """All that the walks know of exporters: numbered domains, templates and sampling rates.

    ``domain_index`` and ``numbers`` are hash tables (``lookup``). ``domains`` is of shape (domains, DOMAIN_SLOTS), ``templates``
    (templates, TEMPLATE_SLOTS), ``layouts`` (templates, 2, ROLES, 2). ``fields`` is of shape (3, fields): row 0 holds the lengths of the
    fields of templates, rows 1 and 2 place and length of the fields of the record at hand. ``definitions`` (uint8) is one-dimensional.
    """

    domain_index: Words
    numbers: Words
    domains: Words
    templates: Words
    layouts: Words
    fields: Words
    definitions: NDArray[np.uint8]


V5_TEMPLATE = 0
"""The row that describes NetFlow v5 records."""

RESOLVED_LAYOUT = 1
"""The row of ``layouts`` for the record at hand, where lengths vary."""

RESERVED_ROWS = 2

# Columns of the datagrams handed to a walk, int64, shape (datagrams, DATAGRAM_SLOTS)
DATAGRAM_OFFSET = 0
DATAGRAM_LENGTH = 1
DATAGRAM_TIME = 2
DATAGRAM_POSITION = 3
DATAGRAM_FAMILY = 4  # and the other words of a session's key behind it: four words of addresses, source and destination port
DATAGRAM_SLOTS = 11


# Rows of ``Columns.words``
SOURCE_HIGH_COLUMN = 0
SOURCE_LOW_COLUMN = 1
DESTINATION_HIGH_COLUMN = 2
DESTINATION_LOW_COLUMN = 3
PACKETS_COLUMN = 4
OCTETS_COLUMN = 5
START_COLUMN = 6
END_COLUMN = 7
INPUT_COLUMN = 8
OUTPUT_COLUMN = 9
WORD_COLUMNS = 10

# What these hold of a row whose section is still to be read
SECTION_PLACE = 0
SECTION_CAPTURED = 1
SECTION_ORIGINAL = 2
SECTION_LINK_TYPE = 3
SECTION_POSITION = 4  # of the datagram
SECTION_LONGEST = 5

# Rows of ``Columns.marks`` and ``Columns.numbers``
FAMILY_COLUMN = 0
DIRECTION_COLUMN = 1
EXPORTER_COLUMN = 0
SAMPLING_COLUMN = 1


class Columns(NamedTuple):
    """The columns of a ``FlowBatch`` being written, by type: ``words`` int64, ``marks`` uint8, ``numbers`` int32, all (columns, rows).

    ``wide`` (int64, shape (1,)) is 0 as long as no high word of an address was ever written: all are zero.
    """

    words: Words
    marks: NDArray[np.uint8]
    numbers: NDArray[np.int32]
    wide: Words
