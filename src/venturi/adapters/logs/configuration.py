"""What a log is told: its form and how grave an event must be."""

from dataclasses import dataclass
from enum import StrEnum


class LogForm(StrEnum):
    """How lines look; ``AUTO`` is text on a terminal and JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """The least grave events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class LogConfig:
    """Form and level of a log."""

    form: LogForm = LogForm.AUTO
    level: LogLevel = LogLevel.INFO
