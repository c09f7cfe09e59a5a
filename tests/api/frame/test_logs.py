"""Lines of the log: their form, and that no secret gets into one."""

import io
import json
import logging
import re

import pytest
import structlog

from venturi.adapters.logs.configuration import LogConfig, LogForm, LogLevel
from venturi.adapters.logs.log import LibraryLog, build_log, hide_secrets
from venturi.core.domain.text import HIDDEN

TOKEN = "venturi_" + "0123456789abcdef" * 2 + "_" + "fedcba9876543210" * 4
FERNET = "gAAAAABnQ2xpZW50IHNlY3JldCB0b2tlbiBvZiBLZXlzdG9uZQ=="
SECRETS = {
    "a token": (f"refused {TOKEN} here", TOKEN),
    "a bearer": ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
    "a basic password": ("authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    "a Fernet token": (f"token {FERNET} expired", FERNET),
    "a database URL": ("cannot open postgresql+psycopg://user:s3cret!@host/db", "s3cret!"),
    "a database URL whose password has a slash": ("mariadb://user:s3c/ret@host/db", "s3c/ret"),
    "a database URL whose password has an at": ("mariadb://user:s3c@ret@host/db", "s3c@ret"),
    "a parameter of a database URL": ("postgresql://host/db?user=a&password=s3cret", "s3cret"),
    "a URL without user": ("mysql://:s3cret@host/db", "s3cret"),
    "a connection string": ("host=a user=b password=s3cret dbname=c", "s3cret"),
    "a header": ("X-Auth-Token: s3cret-thing", "s3cret-thing"),
    "JSON": ('{"password": "s3cret"}', "s3cret"),
    "JSON with a token": ('{"token": "letters"}', "letters"),
    "a bearer of letters": ("Authorization: Bearer letters", "letters"),
    "a token after a colon": ("token: s3cret-thing", "s3cret-thing"),
    "a token that is set": ("VENTURI_TOKEN=letters token=letters", "letters"),
    "letters in base 64": ("basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
}
SENTENCES = [
    "GET /v1/tokens/3f0c",
    "sqlite:////var/lib/venturi.db",
    "http://[::1]:9696/a@b",
    "a token is missing",
    "Unable to validate token: Could not find versioned identity endpoints when attempting to authenticate",
    "the token is not scoped to a project: ask Keystone for one of a project",
    "bearer authentication is wanted, and basic authentication is not",
    "Authorization failed for token",
    "Access denied for user 'a'@'localhost' (using password: YES)",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_a_text_is_hidden(name: str) -> None:
    text, secret = SECRETS[name]
    assert secret not in hide_secrets(text)
    assert HIDDEN in hide_secrets(text)


@pytest.mark.parametrize("text", SENTENCES)
def test_what_is_no_secret_stays(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.parametrize("form", [LogForm.JSON, LogForm.TEXT])
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_gets_into_no_line(form: LogForm, name: str) -> None:
    text, secret = SECRETS[name]
    stream = io.StringIO()
    log = build_log(stream, LogConfig(form=form))
    log.info(text, path=text, nested={"deep": text, "password": secret}, several=[text], thing=ValueError(text), token=secret)
    log.error("fault", exc_info=ValueError(text))
    assert secret not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


@pytest.mark.parametrize("form", [LogForm.JSON, LogForm.TEXT])
def test_a_text_cannot_give_orders_to_a_terminal(form: LogForm) -> None:
    stream = io.StringIO()
    hostile = "a\x1b[2J\x9b\u202eb\nforged line"
    build_log(stream, LogConfig(form=form)).info(
        hostile, path=hostile, several=[hostile], nested={"deep": hostile}, thing=ValueError(hostile)
    )
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert not {"\x9b", "\u202e", "\x1b[2J"} & {sign for sign in ("\x9b", "\u202e", "\x1b[2J") if sign in written}


def test_lines_are_json_when_nobody_watches() -> None:
    stream = io.StringIO()
    build_log(stream, LogConfig()).warning("refused", status=400, ratio=0.5, missing=None)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["status"], line["ratio"], line["missing"]) == ("refused", "warning", 400, 0.5, None)
    assert line["time"].endswith("Z")


def test_a_level_keeps_lesser_events_out() -> None:
    stream = io.StringIO()
    log = build_log(stream, LogConfig(level=LogLevel.ERROR))
    log.info("a")
    log.error("b")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["b"]


def test_libraries_speak_through_the_same_log() -> None:
    stream = io.StringIO()
    config = LogConfig()
    library = LibraryLog(build_log(stream, config), config)
    library.start()
    try:
        logging.getLogger("some.library").warning("cannot reach %s", "mysql://a:s3cret@b/c")
    finally:
        library.stop()
    line = json.loads(stream.getvalue())
    assert (line["library"], line["event"]) == ("some.library", f"cannot reach mysql://a:{HIDDEN}@b/c")


def test_nothing_is_kept_for_the_whole_process() -> None:
    assert not structlog.is_configured()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "coloured"), [(io.StringIO(), False), (Terminal(), True)], ids=["a file", "a terminal"])
def test_colours_are_for_terminals(stream: io.StringIO, coloured: bool) -> None:
    build_log(stream, LogConfig(form=LogForm.TEXT)).warning("refused", status=400)
    assert ("\x1b[" in stream.getvalue()) is coloured


def test_no_colours_are_written_where_none_are_wanted() -> None:
    stream = Terminal()
    build_log(stream, LogConfig(form=LogForm.TEXT), coloured=False).warning("refused", status=400)
    assert "\x1b[" not in stream.getvalue()


@pytest.mark.parametrize(("form", "beginning"), [(LogForm.TEXT, r"20\d\d-\d\d-\d\dT"), (LogForm.JSON, r'\{"time":"20\d\d-\d\d-\d\dT')])
def test_a_line_begins_with_its_time(form: LogForm, beginning: str) -> None:
    stream = io.StringIO()
    build_log(stream, LogConfig(form=form)).warning("refused", status=400)
    assert re.match(beginning, stream.getvalue())


def test_the_id_of_a_token_is_no_secret() -> None:
    stream = io.StringIO()
    fields = {"token_id": "5f0c0a0e", "by_token_id": "5f0c0a0f", "token": "s3cret"}
    build_log(stream, LogConfig()).info("request", **fields)
    line = json.loads(stream.getvalue())
    assert (line["token_id"], line["by_token_id"], line["token"]) == ("5f0c0a0e", "5f0c0a0f", HIDDEN)
