"""All routes of the Networking API.

Owns paths and methods, the other spellings of a path that clients may use included. What an operation does is for the
modules beside this one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from litestar import Router, route
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Operation as DescribedOperation
from litestar.types import ControllerRouterHandler

from venturi.interfaces.api.methods import with_options
from venturi.interfaces.api.neutron import discovery, labels, rules
from venturi.interfaces.api.neutron.forms import NEW_LABELS, NEW_RULES, ManyLabels, ManyRules, OneLabel, OneRule
from venturi.interfaces.api.neutron.queries import FIELDS, LABELS, RULES, list_parameters
from venturi.interfaces.api.openapi.declaring import Answer, declare, parameter_in_path
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
    declared: type[DescribedOperation]
    group: str = "networking"
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
                tags=[self.group],
                operation_class=self.declared,
            )(self.handler)


def neutron_routes() -> list[ControllerRouterHandler]:
    """Give the routes of the Networking API, in one router: a path with handlers of several methods is to be registered once."""
    handlers = [handler for each in (*_discovery(), *_labels(), *_rules()) for handler in each.handlers()]
    return [Router("/", route_handlers=with_options(handlers))]


def _discovery() -> list[_Route]:
    route = partial(_Route, operation=Operation.DISCOVER, threaded=False)
    spelled = partial(route, _EXTENSIONS, aliases=[f"{_EXTENSIONS}.json"])
    named = declare(
        discovery.OneExtension,
        parameter_in_path("alias", "The alias of the extension."),
        others={404: Answer(form=discovery.UnknownExtension, meaning="There is no such extension.")},
    )
    refusing = declare(None, refusals=(404, 413))
    return [
        route("/", (HttpMethod.GET, HttpMethod.OPTIONS), discovery.show_versions, declared=declare(discovery.ApiVersions), group="about"),
        route("/v2.0", _GET, discovery.show_version, declared=declare(discovery.OneVersion)),
        spelled(_GET, discovery.list_extensions, declared=declare(discovery.Extensions, refusals=(404,))),
        spelled((*_POST, *_HEAD), discovery.refuse_extension, declared=refusing),
        route(_EXTENSION, _GET, discovery.show_extension, declared=named),
        route(_EXTENSION, _HEAD, discovery.refuse_extension, declared=refusing),
    ]


def _labels() -> list[_Route]:
    identifier = parameter_in_path("identifier", "The id of the metering label.")
    many = partial(_Route, _LABELS, aliases=_spellings(_LABELS))
    one = partial(_Route, _member(_LABELS), aliases=[_member(_underscored(_LABELS))])
    listed = declare(ManyLabels, *list_parameters(LABELS), refusals=(404,))
    made = declare(
        Answer(form=(OneLabel, ManyLabels), meaning="The metering label made, or several in the order of the request."),
        request=NEW_LABELS,
        refusals=(404, 409),
    )
    return [
        many(_READ, labels.list_labels, Operation.LIST_LABELS, listed),
        many(_POST, labels.create_labels, Operation.CREATE_LABEL, made),
        one(_READ, labels.show_label, Operation.SHOW_LABEL, declare(OneLabel, identifier, FIELDS, refusals=(404,))),
        one(_PUT, labels.update_label, Operation.SHOW_LABEL, declare(None, identifier, refusals=(404, 413))),
        one(
            _DELETE,
            labels.delete_label,
            Operation.DELETE_LABEL,
            declare(Answer(meaning="The metering label is gone."), identifier, refusals=(404,)),
        ),
    ]


def _rules() -> list[_Route]:
    identifier = parameter_in_path("identifier", "The id of the metering label rule.")
    many = partial(_Route, _RULES, aliases=_spellings(_RULES))
    one = partial(_Route, _member(_RULES), aliases=[_member(_underscored(_RULES))])
    listed = declare(ManyRules, *list_parameters(RULES), refusals=(404,))
    made = declare(
        Answer(form=(OneRule, ManyRules), meaning="The metering label rule made, or several in the order of the request."),
        request=NEW_RULES,
        refusals=(404, 409),
    )
    return [
        many(_READ, rules.list_rules, Operation.LIST_RULES, listed),
        many(_POST, rules.create_rules, Operation.CREATE_RULE, made),
        one(_READ, rules.show_rule, Operation.SHOW_RULE, declare(OneRule, identifier, FIELDS, refusals=(404,))),
        one(_PUT, rules.update_rule, Operation.SHOW_RULE, declare(None, identifier, refusals=(404, 413))),
        one(
            _DELETE,
            rules.delete_rule,
            Operation.DELETE_RULE,
            declare(Answer(meaning="The metering label rule is gone."), identifier, refusals=(404,)),
        ),
    ]


def _spellings(path: str) -> list[str]:
    """List the other spellings of a collection's path."""
    underscored = _underscored(path)
    return [f"{path}.json", underscored, f"{underscored}.json"]


def _underscored(path: str) -> str:
    return path.replace("-", "_")


def _member(path: str) -> str:
    return f"{path}/{{identifier:str}}"
