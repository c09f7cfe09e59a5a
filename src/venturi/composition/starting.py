"""How the programs that run on begin: their settings, their log, and what is wrong with either.

Owns that no setting is ignored in silence, and that an error at the start or the end stands in the log in the log's own form. What is
run is for the compositions of server and agent.
"""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

from venturi.adapters.logs.configuration import LogConfig, LogForm
from venturi.config.surroundings import wants_colours
from venturi.core.domain.errors import VenturiError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from venturi.config.settings import AllSettings


def run_logged(config_path: str | None, options: Mapping[str, object], run: "Callable[[AllSettings, FilteringBoundLogger], int]") -> int:
    """Read the settings, make the log, warn of contradictions and run a program; give its exit code.

    Where the log is in JSON, an error is a line of it and ends in the exit code; otherwise it is raised, for whoever called to tell.
    """
    from venturi.adapters.logs.log import running_log
    from venturi.config.settings import find_contradictions, log_form, read_settings

    try:
        settings = read_settings(config_path, options)
        contradictions = find_contradictions(config_path, options)
    except VenturiError as error:
        with running_log(sys.stderr, LogConfig(form=log_form(options)), coloured=wants_colours()) as log:
            return _end(error, log_form(options), log)
    with running_log(sys.stderr, settings.logs, coloured=wants_colours()) as log:
        for sentence in contradictions:
            log.warning("contradicting settings", reason=sentence)
        try:
            return run(settings, log)
        except VenturiError as error:
            return _end(error, settings.logs.form, log)


def _end(error: VenturiError, form: LogForm, log: "FilteringBoundLogger") -> int:
    if not _is_json(form, sys.stderr):
        raise error
    log.error("ended", reason=str(error), error=type(error).__name__, exit_code=error.exit_code)
    return error.exit_code


def _is_json(form: LogForm, stream: TextIO) -> bool:
    return form is LogForm.JSON or (form is LogForm.AUTO and not stream.isatty())
