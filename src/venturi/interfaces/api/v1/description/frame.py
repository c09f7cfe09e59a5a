"""The description of what is around the two APIs: versions, extensions, health, metrics and this very description."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from msgspec import Meta, Struct

from venturi.interfaces.api.neutron.discovery import Extension, UnknownExtension
from venturi.interfaces.api.neutron.links import Link
from venturi.interfaces.api.v1.description.operations import Answer, NeutronError, Operation, Parameter

_HEALTH = "operations"
_ABOUT = "about"
_NETWORKING = "networking"


class ApiVersion(Struct, kw_only=True):
    """An API version on offer."""

    id: str
    status: str
    links: list[Link]


class ApiVersions(Struct, kw_only=True):
    """The API versions on offer."""

    versions: list[ApiVersion]


class NetworkingResource(Struct, kw_only=True):
    """A resource of the Networking API."""

    name: str
    collection: str
    links: list[Link]


class OneVersion(Struct, kw_only=True):
    """An API version and its resources."""

    version: ApiVersion
    resources: list[NetworkingResource]


class Extensions(Struct, kw_only=True):
    """The extensions on offer."""

    extensions: list[Extension]


class OneExtension(Struct, kw_only=True):
    """The answer that holds an extension."""

    extension: Extension


class Health(Struct, kw_only=True):
    """How the server is: ``threads`` gives the state of each of its threads, running, down or ended."""

    status: str
    threads: dict[str, str]


class Waiting(Struct, kw_only=True):
    """Postings that are not folded into roll-ups yet: how many, and for how many seconds the first of them has waited."""

    postings: Annotated[int, Meta(ge=0)]
    seconds: Annotated[int, Meta(ge=0)]


class Readiness(Health, kw_only=True):
    """How a server is that is ready: ``tail`` says how many postings roll-ups lack, and for how long the first has waited."""

    tail: Waiting


def frame_operations() -> list[Operation]:
    """Describe what is around the APIs."""
    return [*_about(), *_networking(), *_health()]


def _about() -> list[Operation]:
    operation = partial(Operation, method="GET", group=_ABOUT, needs_token=False)
    return [
        operation(
            path="/",
            summary="List API versions",
            description="Where clients of OpenStack begin.",
            answers={200: Answer(description="The versions.", form=ApiVersions)},
            refusals=(500,),
        ),
        operation(
            path="/openapi.json",
            summary="Give this description",
            description="OpenAPI 3.1.",
            answers={200: Answer(description="The description.", form=dict[str, Any])},
            refusals=(500,),
        ),
        operation(
            path="/docs",
            summary="Show this description as pages",
            description="Served whole from this server.",
            answers={200: Answer(description="A page.", form=str, media_type="text/html; charset=utf-8")},
            refusals=(500,),
        ),
        operation(
            path="/docs/{name}",
            summary="Give a file of the pages",
            description="Scripts, styles and pictures.",
            parameters=[Parameter(name="name", place="path", description="The name of the file.")],
            answers={200: Answer(description="The file.", form=str, media_type="*/*")},
            refusals=(404, 500),
        ),
    ]


def _networking() -> list[Operation]:
    operation = partial(Operation, method="GET", group=_NETWORKING, error_form=NeutronError)
    return [
        operation(
            path="/v2.0",
            summary="Describe the Networking API",
            description="Its version and its resources.",
            answers={200: Answer(description="The version.", form=OneVersion)},
        ),
        replace(
            operation(
                path="/v2.0/extensions",
                summary="Refuse to make an extension",
                description="Extensions are what they are, so the answer is an error.",
                answers={},
                refusals=(404, 413),
            ),
            method="POST",
        ),
        operation(
            path="/v2.0/extensions",
            summary="List extensions",
            description="Metering, and that its rules know source and destination.",
            answers={200: Answer(description="The extensions.", form=Extensions)},
            refusals=(404,),
        ),
        operation(
            path="/v2.0/extensions/{alias}",
            summary="Show an extension",
            description="By its alias.",
            parameters=[Parameter(name="alias", place="path", description="The alias of the extension.")],
            answers={
                200: Answer(description="The extension.", form=OneExtension),
                404: Answer(description="There is no such extension.", form=UnknownExtension),
            },
        ),
    ]


def _health() -> list[Operation]:
    operation = partial(Operation, method="GET", group=_HEALTH)
    return [
        operation(
            path="/healthz/live",
            summary="Is the process alive?",
            description="Answers as long as it is.",
            answers={200: Answer(description="It is.", form=Health)},
            refusals=(500,),
            needs_token=False,
        ),
        operation(
            path="/healthz/ready",
            summary="Is the database reachable and of the right schema?",
            description="503 with the reason if it is not.",
            answers={200: Answer(description="It is both.", form=Readiness)},
            refusals=(500, 503),
            needs_token=False,
        ),
        operation(
            path="/metrics",
            summary="Give what the server counts of itself",
            description="In the text form of Prometheus.",
            answers={200: Answer(description="The metrics.", form=str, media_type="text/plain; version=0.0.4; charset=utf-8")},
        ),
    ]
