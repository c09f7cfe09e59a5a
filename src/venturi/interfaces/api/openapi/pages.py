"""The OpenAPI document and its pages, served without any other host.

Owns how they are served; the scripts of the pages are those of Swagger UI. The document is made in ``document``.
"""

from importlib.resources import files
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from openapi_ui_bundles import swagger_ui

from venturi.core.domain.errors import NotFoundError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import Answer, declare, parameter_in_path
from venturi.interfaces.api.openapi.document import ApiDocument
from venturi.services.control.policy import OPERATION, Operation

SCRIPTS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
"""The files of Swagger UI that the pages use, and their media types."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser lets the pages do: nothing with any other host."""

_HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_HTML = "text/html; charset=utf-8"
_KEEP = {"Cache-Control": "public, max-age=86400"}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>venturi API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="pages"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#pages",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis]
});
"""


_TAGS = ["about"]


@get(
    "/openapi.json",
    sync_to_thread=True,
    opt={OPERATION: Operation.DISCOVER},
    tags=_TAGS,
    operation_class=declare(Answer(form=dict[str, Any], meaning="The description.")),
)
def openapi_document(api_document: NamedDependency[ApiDocument]) -> Response[bytes]:
    """Give this description.

    OpenAPI 3.1.
    """
    return Response(api_document.write(), media_type="application/json")


@get(
    "/docs",
    sync_to_thread=False,
    opt={OPERATION: Operation.DISCOVER},
    tags=_TAGS,
    operation_class=declare(Answer(form=str, meaning="A page.", media_type=_HTML)),
)
def show_pages() -> Response[str]:
    """Show this description as pages.

    Served whole from this server.
    """
    return Response(_PAGE, media_type=_HTML, headers=_HEADERS)


@get(
    "/docs/{name:str}",
    sync_to_thread=True,
    opt={OPERATION: Operation.DISCOVER},
    tags=_TAGS,
    operation_class=declare(
        Answer(form=str, meaning="The file.", media_type="*/*"), parameter_in_path("name", "The name of the file."), refusals=(404,)
    ),
)
def give_script(name: FromPath[str]) -> Response[bytes]:
    """Give a file of the pages.

    Scripts, styles and pictures.
    """
    if name == "start.js":
        return Response(_START.encode(), media_type=SCRIPTS["swagger-ui-bundle.js"], headers=_HEADERS)
    if name not in SCRIPTS:
        message = f"the pages have no file '{printable(name)}'"
        raise NotFoundError(message)
    content = files(swagger_ui).joinpath("vendor", name).read_bytes()
    return Response(content, media_type=SCRIPTS[name], headers={**_HEADERS, **_KEEP})


OPENAPI_ROUTES: list[ControllerRouterHandler] = [openapi_document, show_pages, give_script]
