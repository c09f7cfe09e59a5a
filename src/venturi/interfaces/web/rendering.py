"""Pages out of templates.

Owns how values are spelled, what a browser lets pages do, and what every page has. What a page says is in its template.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.types import HTTPScope
from markupsafe import escape

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.interval import format_time
from venturi.interfaces.render.quantities import Units, format_count, format_octets, format_share
from venturi.interfaces.web import places
from venturi.interfaces.web.charts import bar
from venturi.interfaces.web.spelling import spell_moment, spell_name, spell_rate
from venturi.services.control.policy import Operation, permits
from venturi.services.control.sessions import form_token

POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What a browser lets pages do: nothing inline, nothing with any other host, and no script."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HTML = "text/html; charset=utf-8"
_NOT_KEPT = {"Cache-Control": "no-store"}


def render(scope: HTTPScope, name: str, *, status: int = 200, **values: object) -> Response[bytes]:
    """Answer with a page."""
    content = render_text(scope, name, **values)
    return Response(content, status_code=status, media_type=HTML, headers={**HEADERS, **_NOT_KEPT})


def render_text(scope: HTTPScope, name: str, **values: object) -> bytes:
    """Render a page, for whoever is signed in."""
    key, user = places.session_key(scope), scope.get("user")
    caller = user if isinstance(user, Principal) else None
    common: Mapping[str, object] = {
        "caller": caller,
        "may": {operation.name: caller is not None and permits(caller, operation) for operation in Operation},
        "path": scope["path"],
        "form_token": form_token(key) if key else "",
        "signed_in": bool(key) and caller is not None,
    }
    return _environment().get_template(name).render(**{**common, **values}).encode()


def redirect(to: str, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Have a browser load another page."""
    return Response(b"", status_code=303, headers={**HEADERS, **_NOT_KEPT, "Location": to, **(headers or {})}, media_type=HTML)


@cache
def asset_link(name: str) -> str:
    """Give the link to a file of the pages, which changes with its content."""
    content = files("venturi.interfaces.web").joinpath("assets", name).read_bytes()
    return f"{places.ASSETS}/{name}?{sha256(content).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("venturi.interfaces.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        {
            "octets": lambda count: format_octets(count, Units.SI),
            "count": format_count,
            "rate": spell_rate,
            "moment": spell_moment,
            "name": spell_name,
            "utc": format_time,
            "words": lambda text: escape(str(text).replace("_", " ")),
        }
    )
    environment.globals.update({"asset": asset_link, "link": places.link, "share": format_share, "bar": bar, "ROOT": places.ROOT})
    return environment
