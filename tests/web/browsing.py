"""A browser without a screen, for tests of pages: it keeps cookies, and follows no redirection by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import urllib3

from tests.support.server import ServerProcess

DAY = "2026-01-01"
"""The day on which the traffic of tests passes."""


@dataclass
class Browser:
    """Somebody's browser at a server."""

    server: ServerProcess
    cookies: dict[str, str] = field(default_factory=dict)

    def load(self, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
        """Ask for a page."""
        return self._send("GET", path, headers)

    def show(self, path: str) -> "Page":
        """Ask for a page that must be there."""
        answer = self.load(path)
        assert answer.status == 200, answer.data
        return read_page(answer.data.decode())

    def send(self, path: str, fields: Mapping[str, str], **headers: str) -> urllib3.BaseHTTPResponse:
        """Send a form."""
        given = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._send("POST", path, given, urlencode(fields).encode())

    def sign_in(self, token: str, **fields: str) -> urllib3.BaseHTTPResponse:
        """Sign in by a token."""
        return self.send("/dashboard/sign-in", {"token": token, **fields})

    def form_token(self) -> str:
        """Give what forms of this session carry."""
        return self.show("/dashboard/labels").fields["form_token"]

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> urllib3.BaseHTTPResponse:
        given = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        answer = self.server.request(method, path, headers={**given, **headers}, body=body)
        for morsel in SimpleCookie(answer.headers.get("Set-Cookie", "")).values():
            self.cookies[morsel.key] = morsel.value
            if morsel["max-age"] == "0":
                del self.cookies[morsel.key]
        return answer


class Page(HTMLParser):
    """What a page holds: its text, its links, its elements with their attributes, and the first value of each field."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        if tag == "input" and "name" in given:
            self.fields.setdefault(given["name"], given.get("value", ""))

    def handle_data(self, text: str) -> None:
        self.words.append(text)

    @property
    def text(self) -> str:
        """The text, with single blanks."""
        return " ".join(" ".join(self.words).split())

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return [given["href"] for tag, given in self.elements if tag == "a" and "href" in given]


def read_page(text: str) -> Page:
    """Read a page."""
    page = Page()
    page.feed(text)
    page.close()
    return page
