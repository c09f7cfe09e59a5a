"""Discovery: which versions of the Networking API there are, what it holds, and which extensions.

Owns what clients read before they ask for labels.
"""

from http import HTTPStatus

from litestar import Response
from litestar.params import FromPath
from litestar.types import HTTPScope
from msgspec import Struct

from venturi.core.domain.errors import NotFoundError
from venturi.interfaces.api.neutron.attributes import LABEL, RULE, echo
from venturi.interfaces.api.neutron.links import Link, base_url
from venturi.interfaces.api.neutron.wire import ApiRequest, answer, named
from venturi.interfaces.web.places import ROOT
from venturi.interfaces.web.rendering import redirect

_HREF = "/v2.0/metering/{collection}"
_HIDDEN = "The resource could not be found.<br /><br />\n"


class Extension(Struct):
    """An extension of the Networking API."""

    alias: str
    name: str
    description: str
    updated: str
    links: list[Link]


class UnknownExtension(Struct):
    """What OpenStack Networking says of an extension that there is not: a form of its own, and HTML within its message."""

    message: str
    code: str = "404 Not Found"
    title: str = "Not Found"


class ApiVersion(Struct):
    """An API version on offer."""

    id: str
    status: str
    links: list[Link]


class ApiVersions(Struct):
    """The API versions on offer."""

    versions: list[ApiVersion]


class NetworkingResource(Struct):
    """A resource of the Networking API."""

    name: str
    collection: str
    links: list[Link]


class OneVersion(Struct):
    """An API version and its resources."""

    version: ApiVersion
    resources: list[NetworkingResource]


class Extensions(Struct):
    """The extensions on offer."""

    extensions: tuple[Extension, ...]


class OneExtension(Struct):
    """The answer that holds an extension."""

    extension: Extension


EXTENSIONS = (
    Extension("metering", "Neutron Metering", "Neutron Metering extension.", "2013-06-12T10:00:00-00:00", []),
    Extension(
        "metering_source_and_destination_fields",
        "Neutron Metering with source and destination filtering",
        "Neutron Metering extension that enables the use of source and destination IP prefixes to create metering label rules.",
        "2020-08-21T08:12:00-00:00",
        [],
    ),
)
"""The extensions, with the names and times that clients know them by."""


def show_versions(request: ApiRequest) -> Response[bytes]:
    """List API versions.

    Where clients of OpenStack begin. A browser is led to the dashboard.
    """
    if "text/html" in request.headers.get("accept", ""):
        return redirect(ROOT, {"Vary": "Accept"})
    return answer(ApiVersions([_version(request.scope)]))


def show_version(request: ApiRequest) -> Response[bytes]:
    """Describe the Networking API.

    Its version and its resources.
    """
    base = base_url(request.scope)
    resources = [
        NetworkingResource(
            name=resource.name,
            collection=resource.collection,
            links=[Link("self", base + _HREF.format(collection=resource.collection.replace("_", "-")))],
        )
        for resource in (LABEL, RULE)
    ]
    return answer(OneVersion(_version(request.scope), resources))


def list_extensions() -> Response[bytes]:
    """List extensions.

    Metering, and that its rules know source and destination.
    """
    return answer(Extensions(EXTENSIONS))


def refuse_extension() -> Response[None]:
    """Refuse to make an extension.

    Extensions are what they are, so the answer is an error.
    """
    message = "Resource not found."
    raise NotFoundError(message)


def show_extension(alias: FromPath[str]) -> Response[bytes]:
    """Show an extension.

    By its alias.
    """
    for extension in EXTENSIONS:
        if extension.alias == named(alias):
            return answer(OneExtension(extension))
    message = f"{_HIDDEN}Extension with alias {echo(named(alias))} does not exist\n\n"
    return answer(UnknownExtension(message), HTTPStatus.NOT_FOUND)


def _version(scope: HTTPScope) -> ApiVersion:
    return ApiVersion("v2.0", "CURRENT", [Link("self", f"{base_url(scope)}/v2.0/")])
