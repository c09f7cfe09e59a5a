"""What is measured of the ledger, as values that pass from the measuring process to the one that reports.

Owns names and units; imports nothing large, so that the reporting process stays small.
"""

from dataclasses import dataclass, field

SERVICE = "the posting service"
HTTP = "POST /v1/batches"
EARLIER_HTTP = "POST /v1/batches, before there were checks"
FILLING = "the posting service, to fill it"
"""The ways of posting: in the process that measures, to a server, and before usage is read back."""

FOLDING = "the roller"
"""Folding what was posted in the process that measures, all at once."""


@dataclass(frozen=True)
class PostingFigures:
    """The usage records that were posted in ``wall`` seconds and how: the median run.

    Each is a row of entries, and adds to a row of each of the three roll-ups once it is folded. ``cpu`` is the processor time of the
    process that posted, in seconds, of all its threads.
    """

    database: str
    way: str
    shape: str
    batches: int
    records: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Usage records a second."""
        return self.records / self.wall


@dataclass(frozen=True)
class ReportFigures:
    """What a report of usage over HTTP took to its last octet, in ``seconds``; ``octets`` are those of its answer."""

    database: str
    report: str
    seconds: float
    octets: int


@dataclass(frozen=True)
class MadeFigures:
    """A ledger that was made: ``rows`` of usage of so many ``labels``, in ``seconds``."""

    database: str
    labels: int
    rows: int
    seconds: float


@dataclass(frozen=True)
class QuestionFigures:
    """What a question over HTTP took to its last octet, in ``seconds``: the median; ``cpu`` is the server's processor time for one.

    ``most`` is how many milliseconds it may take, None where nothing is claimed.
    """

    database: str
    question: str
    seconds: float
    cpu: float
    octets: int
    most: float | None


@dataclass
class QuestionsFigures:
    """All figures of a run of questions."""

    made: list[MadeFigures] = field(default_factory=list)
    questions: list[QuestionFigures] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass
class LedgerFigures:
    """All figures of a run, and remarks about what they were measured on."""

    postings: list[PostingFigures] = field(default_factory=list)
    reports: list[ReportFigures] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
