"""The OpenAPI document of all routes, and the operations that it describes."""

import json
from dataclasses import dataclass
from typing import Any

from litestar.types import ControllerRouterHandler

from venturi.interfaces.api.neutron.routes import neutron_routes
from venturi.interfaces.api.openapi import document
from venturi.interfaces.api.operations import operations_routes
from venturi.interfaces.api.v1.routes import v1_routes

LARGEST_PAGE = 1000
"""How much a page holds at most, by default."""


@dataclass(frozen=True)
class DescribedOperation:
    """A method at a path, and what the document says of it."""

    method: str
    path: str
    described: dict[str, Any]

    @property
    def identifier(self) -> str:
        """Its name."""
        return str(self.described["operationId"])


def served_routes() -> list[ControllerRouterHandler]:
    """Give all routes of a server."""
    return [*operations_routes(), *neutron_routes(), *v1_routes()]


def make_document() -> dict[str, Any]:
    """Make the document, as it is sent."""
    made: dict[str, Any] = json.loads(json.dumps(document.make_document(served_routes(), LARGEST_PAGE)))
    return made


def described_operations(made: dict[str, Any]) -> list[DescribedOperation]:
    """List all operations that a document describes."""
    paths = made["paths"]
    return [DescribedOperation(method.upper(), path, each) for path, methods in paths.items() for method, each in methods.items()]
