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


class InvalidPointError(VenturiError):
    """An observation point contradicts itself or lacks what it needs."""

    exit_code = 2
    status = 400


class InvalidContractError(VenturiError):
    """A contract contradicts itself or lacks what it needs."""

    exit_code = 2
    status = 400


class InvalidPeriodError(VenturiError):
    """A text names no period of a contract, or one that it does not have."""

    exit_code = 2
    status = 400


class InvalidStatementError(VenturiError):
    """A statement is none, was changed since it was made, or does not follow from what it says itself."""

    exit_code = 2
    status = 409


class InvalidTokenRequestError(VenturiError):
    """A token cannot be made or used as asked."""

    exit_code = 2
    status = 400


class InvalidRequestError(VenturiError):
    """A request to the API is malformed: its body, a query parameter or a header."""

    exit_code = 2
    status = 400


class RefusedRequestError(InvalidRequestError):
    """A request to the Networking API is malformed in a way that OpenStack Networking has a name for: ``kind``, the answer's type."""

    def __init__(self, message: str, kind: str = "HTTPBadRequest") -> None:
        """Say in ``message`` what is wrong."""
        super().__init__(message)
        self.kind = kind


class UnauthenticatedError(VenturiError):
    """A request carries no valid token."""

    exit_code = 7
    status = 401

    def __init__(self, message: str, token_id: str | None = None) -> None:
        """Say in ``message`` why; ``token_id`` names the token that was shown, if it has the form of one."""
        super().__init__(message)
        self.token_id = token_id


class ForbiddenError(VenturiError):
    """The policy does not let this caller do this."""

    exit_code = 7
    status = 403


class NotFoundError(VenturiError):
    """There is nothing of this name that the caller may see."""

    exit_code = 8
    status = 404


class LabelNotFoundError(NotFoundError):
    """There is no such metering label that the caller may see.

    ``shared`` is true where there is one that is shared by another project, of which OpenStack Networking speaks in other words.
    """

    def __init__(self, message: str, *, shared: bool = False) -> None:
        """Say in ``message`` which label."""
        super().__init__(message)
        self.shared = shared


class RuleNotFoundError(NotFoundError):
    """There is no such metering label rule that the caller may see.

    ``sightless`` is true where the caller may see no rule at all, of which OpenStack Networking speaks in other words.
    """

    def __init__(self, message: str, *, sightless: bool = False) -> None:
        """Say in ``message`` which rule."""
        super().__init__(message)
        self.sightless = sightless


class PointNotFoundError(NotFoundError):
    """There is no such observation point that the caller may see."""


class ContractNotFoundError(NotFoundError):
    """There is no such contract that the caller may see."""


class StatementNotFoundError(NotFoundError):
    """There is no such statement that the caller may see."""


class TokenNotFoundError(NotFoundError):
    """There is no such token."""


class AlarmNotFoundError(NotFoundError):
    """There is no such alarm."""


class AgentNotFoundError(NotFoundError):
    """There is no such agent."""


class RevisionNotFoundError(NotFoundError):
    """There is no such revision."""


class ConflictError(VenturiError):
    """A change contradicts what the server holds."""

    exit_code = 9
    status = 409


class RuleOverlapsError(ConflictError):
    """The ``remote_ip_prefix`` of a rule overlaps that of another rule of the label, direction and excluded flag.

    ``rule_id`` is the id of the rule that was to be added.
    """

    def __init__(self, message: str, rule_id: str = "") -> None:
        """Say in ``message`` which prefix overlaps."""
        super().__init__(message)
        self.rule_id = rule_id


class DuplicatePointError(ConflictError):
    """Another observation point is at the same place."""


class DuplicateContractError(ConflictError):
    """Another contract of the project has the name."""


class MembersOverlapError(ConflictError):
    """Two members of a contract may count the same packet; the sentence names both."""


class StatementRefusedError(ConflictError):
    """A period cannot be closed, or a statement not be voided, as things are."""


class PlanLeasedError(ConflictError):
    """The plan of a host is leased to another agent."""


class StoreError(VenturiError):
    """The database cannot be opened, reached or written."""

    exit_code = 10
    status = 503


class LeaseLostError(StoreError):
    """Another server does by now what this one had begun."""


class SchemaError(StoreError):
    """The schema of the database is not that of this version; the sentence names the command to run."""


class StoreInUseError(StoreError):
    """Another process writes to the embedded database; the API is the way to it."""


class ServerError(VenturiError):
    """The server cannot be reached, or answered something that is no answer; ``answered`` is the status that it gave, if it gave one."""

    exit_code = 11
    status = 502

    def __init__(self, message: str, answered: int | None = None) -> None:
        super().__init__(message)
        self.answered = answered


class UnreachableServerError(ServerError):
    """No server answers where one was asked."""


class ServeError(VenturiError):
    """The server cannot be started as configured."""

    exit_code = 12
    status = 500


class RequestTooLargeError(VenturiError):
    """A request is larger than the server's limits."""

    exit_code = 2
    status = 413


class ServerBusyError(VenturiError):
    """The server has as much to do as it may; the same request is welcome later."""

    exit_code = 11
    status = 503


class TooManyReportsError(VenturiError):
    """A caller has as many reports under way as one may; the sentence says how many."""

    exit_code = 11
    status = 429


class TooManySignInsError(VenturiError):
    """A client failed to sign in too often within a short time."""

    exit_code = 11
    status = 429


class RequestTimedOutError(VenturiError):
    """A request did not arrive within the server's limits."""

    exit_code = 11
    status = 408


class PlainHttpError(ForbiddenError):
    """A token came over plain HTTP from another host, where others can read it."""

    exit_code = 7
    status = 403


class ConfigurationError(VenturiError):
    """A configuration file or setting is not well formed; the sentence names the file or variable and the key."""

    exit_code = 2
    status = 500


class MissingExtraError(VenturiError):
    """A part of venturi that is not installed is needed; the sentence names the command that installs it."""

    exit_code = 17
    status = 500

    def __init__(self, purpose: str, *extras: str) -> None:
        """Name the ``extras`` of the package that ``purpose`` needs."""
        super().__init__(f"{purpose} needs packages that are not installed: run pip install 'venturi[{','.join(extras)}]'")


class UnacceptableFormError(VenturiError):
    """An answer cannot be given in the form that it is asked for in."""

    exit_code = 17
    status = 406


class DriverError(VenturiError):
    """The kernel, or what speaks to it, refuses to count; the sentence says what to do about it."""

    exit_code = 13
    status = 500


class GenerationGoneError(DriverError):
    """The tables of a generation are not there any more: they went with a namespace, or somebody removed them."""


class KernelRefusedError(DriverError):
    """A system call of a driver failed; ``number`` is its errno."""

    def __init__(self, message: str, reason: str, number: int) -> None:
        """Say in ``message`` what was refused, and in ``reason`` what the kernel calls that."""
        super().__init__(f"{message}: {reason}")
        self.number = number


class SpoolError(VenturiError):
    """The spool of an agent cannot be opened, read or written."""

    exit_code = 14
    status = 500


class SpoolInUseError(SpoolError):
    """Another process meters with the spool."""


class SpoolFullError(SpoolError):
    """There is no room for what was to be recorded, on the disk or within the limit of the spool."""


class InvalidBatchError(InvalidRequestError):
    """A batch cannot be read, or contradicts itself or its envelope."""


class BatchTooLargeError(InvalidBatchError):
    """A batch is larger than the server takes, compressed or not; no repetition makes it smaller."""

    status = 413


class TooMuchHeldError(VenturiError):
    """So much of what an agent posted is held that no more is taken of it; the sentence says what an administrator must do."""

    exit_code = 11
    status = 429


class BatchConflictError(ConflictError):
    """A batch bears the name of another that was posted, or does not follow from the one before it."""


class EntryNotFoundError(NotFoundError):
    """There is no such entry in the ledger."""


class LedgerError(VenturiError):
    """The ledger contradicts itself; the sentence names the first difference."""

    exit_code = 15
    status = 500


class SumTooLargeError(LedgerError):
    """Counts add up to more than a roll-up can hold."""


class ThreadFailedError(VenturiError):
    """A thread of the program kept failing, so the program ended; the service manager starts it again."""

    exit_code = 16
    status = 500
