"""Where pages lie, and how a browser tells who is signed in.

Owns the paths and the cookie.
"""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlencode

from litestar.types import HTTPScope

ROOT = "/dashboard"
SIGN_IN = f"{ROOT}/sign-in"
SIGN_OUT = f"{ROOT}/sign-out"
ASSETS = f"{ROOT}/assets"

_PLAIN_COOKIE = "venturi_session"
_SAFE_COOKIE = "__Host-venturi_session"
_MOST_PATH = 2_000


def is_page(path: str) -> bool:
    """Tell whether a path belongs to the dashboard."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def is_open_page(path: str) -> bool:
    """Tell whether a path of the dashboard needs nobody to be signed in."""
    return path == SIGN_IN or path.startswith(f"{ASSETS}/")


def session_key(scope: HTTPScope) -> str:
    """Give the key of the session that a request carries, empty without one."""
    header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return ""
    found = cookies.get(_cookie_name(scope))
    return "" if found is None else found.value


def spell_cookie(scope: HTTPScope, key: str, seconds: int) -> str:
    """Spell the header that has a browser keep a key for so many seconds, or forget it with none (RFC 6265 §4.1)."""
    secure = "; Secure" if scope["scheme"] == "https" else ""
    return f"{_cookie_name(scope)}={key}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _cookie_name(scope: HTTPScope) -> str:
    """Under TLS, a name by which browsers hold the cookie to this very host."""
    return _SAFE_COOKIE if scope["scheme"] == "https" else _PLAIN_COOKIE


def link(path: str, query: Mapping[str, object] | None = None, **parameters: object) -> str:
    """Spell a link to a page; parameters that are empty or None are left out."""
    asked = {name: value for name, value in {**(query or {}), **parameters}.items() if value not in {None, ""}}
    spelled = urlencode(asked, doseq=True, quote_via=quote)
    return f"{path}?{spelled}" if spelled else path


def sign_in_link(scope: HTTPScope) -> str:
    """Spell the link to the page where one signs in, from where one comes back to what a request was for."""
    query = scope["query_string"].decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    return link(SIGN_IN, to=wanted if scope["method"] == "GET" and wanted != ROOT and len(wanted) <= _MOST_PATH else None)


def is_own_place(text: str) -> bool:
    """Tell whether a text is the path of a page here, so that nobody is led elsewhere."""
    return is_page(text.partition("?")[0]) and not set(text) & set("\\\r\n\t") and len(text) <= _MOST_PATH
