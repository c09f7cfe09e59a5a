"""The log of a server: one line for each event, for people on a terminal and as JSON elsewhere.

Owns the form of lines, and that no secret and no control character gets into one. What is worth a line is for those who log.
"""

import logging
import re
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from venturi.adapters.logs.configuration import LogConfig, LogForm, LogLevel
from venturi.core.domain.text import HIDDEN, escape_unfit, hide_url_secrets

_TRACE = "exception"
"""The one field of several lines; what it quotes is spelled by Python."""

_FIRST = ("time", "level", "event")
"""The fields with which a line begins."""

_SECRET_NAMES = ("authorization", "token", "password", "secret", "cookie")
_NO_SECRETS = frozenset({"token_id", "by_token_id"})
"""Fields that name something by an id that opens nothing."""

_PROSE = r"(?![a-z]+(?:\s+[a-z]|[.,;:]?(?:\s|$)))"
"""Not before a word of a sentence: no token is one of lower-case letters alone."""

_SECRETS = (
    (re.compile(r"venturi_[0-9a-f]{32}_[0-9a-f]+"), HIDDEN),
    (re.compile(r"(?i)\b(authorization['\"]?\s*[=:]\s*['\"]?(?:bearer|basic))\s+[^\s'\",;]+"), rf"\1 {HIDDEN}"),
    (re.compile(rf"\b((?i:bearer|basic))\s+{_PROSE}[\w.~+/=-]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"\bgAAAA[\w=-]{20,}"), HIDDEN),
    (re.compile(r"(\w://[^\s:/@]*):[^\s/@]+@"), rf"\1:{HIDDEN}@"),
    (
        re.compile(r"(?i)\b(password|passwd|secret|x-auth-token|x-subject-token)(['\"]?\s*[=:]\s*['\"]?)(?!YES\)|NO\))[^\s'\"&,;]+"),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(authorization)(['\"]?\s*[=:]\s*['\"]?)(?!bearer\s|basic\s)[^\s'\"&,;]+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?i)(token)(['\"]\s*[=:]\s*['\"]?|\s*=\s*['\"]?)[^\s'\"&,;]+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"(?i)(?<![\w-])(token)(\s*:\s*)(?![a-z]+(?:\s|$|[.,;]))[^\s'\"&,;]+"), rf"\1\2{HIDDEN}"),
)

_SIGNS = ("venturi_", "bearer", "basic", "gaaaa", "://", "passw", "secret", "token", "authorization")
"""In lower case, what every text with a secret has: most texts have none of them and need no closer look."""


def build_log(stream: TextIO, config: LogConfig, *, coloured: bool = True) -> FilteringBoundLogger:
    """Make a log that writes to ``stream``; text on a terminal is ``coloured``."""
    text = config.form is LogForm.TEXT or (config.form is LogForm.AUTO and stream.isatty())
    renderer: Processor = structlog.dev.ConsoleRenderer(colors=coloured and stream.isatty(), timestamp_key="time") if text else _render_json
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        wrapper_class=structlog.make_filtering_bound_logger(_number(config.level)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            _hide_secrets,
            renderer,
        ],
    )
    return log


@contextmanager
def running_log(stream: TextIO, config: LogConfig, *, coloured: bool = True) -> Iterator[FilteringBoundLogger]:
    """Make the log of a program, which takes what libraries log as well until the block ends."""
    log = build_log(stream, config, coloured=coloured)
    library_log = LibraryLog(log, config)
    library_log.start()
    try:
        yield log
    finally:
        library_log.stop()


def hide_secrets(text: str) -> str:
    """Give a text without the tokens and passwords that are in it."""
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return text
    text = hide_url_secrets(text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class LibraryLog(logging.Handler):
    """Hands what libraries log on to the log of the server; ``start`` takes the root logger over, ``stop`` gives it back."""

    def __init__(self, log: FilteringBoundLogger, config: LogConfig) -> None:
        """Take the log; the libraries' own loggers are not touched yet."""
        super().__init__(max(_number(config.level), logging.WARNING))
        self._log = log

    def start(self) -> None:
        """Take the messages of all libraries from now on."""
        logging.getLogger().addHandler(self)
        logging.captureWarnings(capture=True)

    def stop(self) -> None:
        """Take no more messages."""
        logging.captureWarnings(capture=False)
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Log one message of a library, with its trace where there is one."""
        details: dict[str, Any] = {"library": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            details["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        self._log.log(record.levelno, record.getMessage().strip(), **details)


def _number(level: LogLevel) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _hide_secrets(_log: Any, _method: str, event: EventDict) -> EventDict:  # noqa: ANN401 - structlog's form of a processor
    return {name: _hide(name, content) for name, content in event.items()}


def _hide(name: str, content: object) -> object:
    if any(secret in name.lower() for secret in _SECRET_NAMES) and name not in _NO_SECRETS:
        return HIDDEN
    if isinstance(content, str):
        text = hide_secrets(content)
        return text if name == _TRACE else escape_unfit(text)
    if isinstance(content, Mapping):
        return {key: _hide(str(key), value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_hide("", part) for part in content]
    if isinstance(content, int | float | None):
        return content
    return escape_unfit(hide_secrets(str(content)))


def _render_json(_log: Any, _method: str, event: MutableMapping[str, Any]) -> str:  # noqa: ANN401 - structlog's form of a processor
    first = {name: event[name] for name in _FIRST if name in event}
    return msgspec.json.encode({**first, **event}).decode()
