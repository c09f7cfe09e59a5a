"""The tree of errors that venturi raises on purpose.

Owns what went wrong in one sentence, the exit code of a command and the HTTP status of a response.
Traffic that cannot be counted is not an error: it is counted under a reason (``drops``).
"""

from typing import ClassVar


class VenturiError(Exception):
    """Anything that venturi refuses or cannot do, told in one sentence."""

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 500


class InvalidPrefixError(VenturiError):
    """A text is not an IPv4 or IPv6 prefix."""

    exit_code = 2
    status = 400


class InvalidRuleError(VenturiError):
    """A metering label rule contradicts itself or lacks what it needs."""

    exit_code = 2
    status = 400


class InvalidLabelError(VenturiError):
    """A metering label has a name, description or project that is not allowed."""

    exit_code = 2
    status = 400


class InvalidTimeError(VenturiError):
    """A text is not a time, a duration or an ordered pair of times."""

    exit_code = 2
    status = 400


class RulesFileError(VenturiError):
    """A rules file is not well formed; the sentence names file, line and field."""

    exit_code = 2
    status = 400


class UnknownFormatError(VenturiError):
    """A file is of no format that venturi reads."""

    exit_code = 3
    status = 415


class UnreadableFileError(VenturiError):
    """A file cannot be opened or read, or a result cannot be written."""

    exit_code = 4
    status = 500


class ColumnMappingError(VenturiError):
    """A file of flow records lacks a column, or a column has a type that cannot be metered."""

    exit_code = 3
    status = 422


class UsageTooLargeError(VenturiError):
    """The usage asked for has more rows than can be held; a longer interval or a narrower window helps."""

    exit_code = 5
    status = 413


class TrafficDroppedError(VenturiError):
    """Something was skipped although ``--strict`` asked for none to be."""

    exit_code = 6
    status = 422
