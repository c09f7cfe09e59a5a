"""The answer to OPTIONS: all methods of a path (RFC 9110 §9.3.7).

Owns what the framework would say of the first method of a path alone, since it meets the handlers of a path one by one.
"""

from collections import defaultdict
from collections.abc import Sequence

from litestar import Response, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler


def with_options(handlers: Sequence[ControllerRouterHandler]) -> list[ControllerRouterHandler]:
    """Give handlers and, before them, one of OPTIONS for each path that has none: whatever is first at a path counts."""
    methods: defaultdict[str, set[str]] = defaultdict(set)
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            for path in handler.paths:
                methods[path] |= {str(method) for method in handler.http_methods}
    options = HttpMethod.OPTIONS.value
    return [*(_options_handler(path, found | {options}) for path, found in methods.items() if options not in found), *handlers]


def _options_handler(path: str, methods: set[str]) -> HTTPRouteHandler:
    allow = ", ".join(sorted(methods))

    def name_methods() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allow})

    return route(path, http_method=[HttpMethod.OPTIONS], sync_to_thread=False, include_in_schema=False, status_code=204)(name_methods)
