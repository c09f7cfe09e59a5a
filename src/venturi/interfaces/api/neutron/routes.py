"""All routes of the Networking API.

Owns paths and methods, the other spellings of a path that clients may use included. What an operation does is for the
modules beside this one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Router, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from venturi.interfaces.api.methods import with_options
from venturi.interfaces.api.neutron import discovery, labels, rules
from venturi.services.control.policy import OPERATION, Operation

_READ = (HttpMethod.GET, HttpMethod.HEAD)
_GET = (HttpMethod.GET,)
_HEAD = (HttpMethod.HEAD,)
_POST = (HttpMethod.POST,)
_PUT = (HttpMethod.PUT,)
_DELETE = (HttpMethod.DELETE,)

_LABELS = "/v2.0/metering/metering-labels"
_RULES = "/v2.0/metering/metering-label-rules"
_EXTENSIONS = "/v2.0/extensions"
_EXTENSION = "/v2.0/extensions/{alias:str}"


@dataclass(frozen=True)
class _Route:
    """One operation at one path; ``aliases`` are other spellings of the path, which no document names."""

    path: str
    methods: Sequence[HttpMethod]
    handler: Callable[..., Any]
    operation: Operation
    aliases: Sequence[str] = ()
    threaded: bool = True

    def handlers(self) -> Iterator[HTTPRouteHandler]:
        """Make a route handler for each spelling of the path."""
        for path in (self.path, *self.aliases):
            yield route(
                path,
                http_method=list(self.methods),
                sync_to_thread=self.threaded,
                include_in_schema=path == self.path,
                opt={OPERATION: self.operation},
            )(self.handler)


def neutron_routes() -> list[ControllerRouterHandler]:
    """Give the routes of the Networking API, in one router: a path with handlers of several methods is to be registered once."""
    handlers = [handler for each in (*_discovery(), *_labels(), *_rules()) for handler in each.handlers()]
    return [Router("/", route_handlers=with_options(handlers))]


def _discovery() -> list[_Route]:
    return [
        _Route("/", (HttpMethod.GET, HttpMethod.OPTIONS), discovery.show_versions, Operation.DISCOVER, threaded=False),
        _Route("/v2.0", _GET, discovery.show_version, Operation.DISCOVER, threaded=False),
        _Route(_EXTENSIONS, _GET, discovery.list_extensions, Operation.DISCOVER, [f"{_EXTENSIONS}.json"], threaded=False),
        _Route(_EXTENSIONS, (*_POST, *_HEAD), discovery.refuse_extension, Operation.DISCOVER, [f"{_EXTENSIONS}.json"], threaded=False),
        _Route(_EXTENSION, _GET, discovery.show_extension, Operation.DISCOVER, threaded=False),
        _Route(_EXTENSION, _HEAD, discovery.refuse_extension, Operation.DISCOVER, threaded=False),
    ]


def _labels() -> list[_Route]:
    collections = _spellings(_LABELS)
    one, ones = _member(_LABELS), [_member(_underscored(_LABELS))]
    return [
        _Route(_LABELS, _READ, labels.list_labels, Operation.LIST_LABELS, collections),
        _Route(_LABELS, _POST, labels.create_labels, Operation.CREATE_LABEL, collections),
        _Route(one, _READ, labels.show_label, Operation.SHOW_LABEL, ones),
        _Route(one, _PUT, labels.update_label, Operation.SHOW_LABEL, ones),
        _Route(one, _DELETE, labels.delete_label, Operation.DELETE_LABEL, ones),
    ]


def _rules() -> list[_Route]:
    collections = _spellings(_RULES)
    one, ones = _member(_RULES), [_member(_underscored(_RULES))]
    return [
        _Route(_RULES, _READ, rules.list_rules, Operation.LIST_RULES, collections),
        _Route(_RULES, _POST, rules.create_rules, Operation.CREATE_RULE, collections),
        _Route(one, _READ, rules.show_rule, Operation.SHOW_RULE, ones),
        _Route(one, _PUT, rules.update_rule, Operation.SHOW_RULE, ones),
        _Route(one, _DELETE, rules.delete_rule, Operation.DELETE_RULE, ones),
    ]


def _spellings(path: str) -> list[str]:
    """List the other spellings of a collection's path."""
    underscored = _underscored(path)
    return [f"{path}.json", underscored, f"{underscored}.json"]


def _underscored(path: str) -> str:
    return path.replace("-", "_")


def _member(path: str) -> str:
    return f"{path}/{{identifier:str}}"
