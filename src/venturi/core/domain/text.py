"""Text that people read: which characters a name may not hold, how they are shown within other text, and URLs without passwords.

Owns the list of these characters. What a name may be besides is for the forms and checks that read it.
"""

import re

UNFIT_CHARACTERS = (
    r"\x00-\x1f\x7f-\x9f"  # control characters (Unicode category Cc)
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of direction (UAX #9)
    r"\u200b-\u200d\u2060-\u2064\ufeff"  # characters without width
    "\U000e0000-\U000e007f"  # tags; as they are, since other languages' patterns have no escape for them
    r"\u2028\u2029"  # separators of lines and paragraphs
    r"\ud800-\udfff"  # halves of surrogate pairs, which no encoding can carry
)
"""What no name may hold, as the inside of a character class: it is invisible, moves other text, or controls a terminal."""

SHORT_IDENTIFIER = 8
"""How many characters of an id lists show, and commands take, where no other resource has an id that begins so."""

HIDDEN = "[hidden]"
"""What stands in place of a secret."""

_DATABASES = r"\b(?:sqlite|postgres|postgresql|mysql|mariadb)(?:\+\w+)?://"
_URL_PASSWORD = re.compile(rf"(?i)({_DATABASES}[^\s:@/?]*):\S*@")
_URL_PARAMETER = re.compile(r"(?i)([?&][\w.-]*(?:pass|pwd|secret|token)[\w.-]*=)[^&\s'\"]+")

_UNFIT = re.compile(f"[{UNFIT_CHARACTERS}]")
_FOUR_DIGITS = 0xFFFF
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def is_fit(text: str) -> bool:
    """Tell whether a text has none of ``UNFIT_CHARACTERS``."""
    return _UNFIT.search(text) is None


def escape_unfit(text: str) -> str:
    """Give a text with each of ``UNFIT_CHARACTERS`` spelled by its number, as Python does, so that it shows and does nothing."""
    return _UNFIT.sub(_escape, text)


def escape_cell(text: str) -> str:
    """Give the text of a CSV cell so that a spreadsheet shows it: one that it would run as a formula gets an apostrophe in front."""
    return f"'{escape_unfit(text)}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else escape_unfit(text)


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\u{number:04x}" if number <= _FOUR_DIGITS else f"\\U{number:08x}"


def hide_url_secrets(text: str) -> str:
    """Give a text, or the URL of a database, without the passwords of such URLs in it: neither before the host nor among the parameters."""
    if "://" not in text:
        return text
    return _URL_PARAMETER.sub(rf"\1{HIDDEN}", _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text))
