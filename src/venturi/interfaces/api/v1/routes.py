"""All routes of the own API, its description included."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from venturi.interfaces.api.methods import with_options
from venturi.interfaces.api.openapi.pages import OPENAPI_ROUTES
from venturi.interfaces.api.v1.alarms import ALARM_ROUTES
from venturi.interfaces.api.v1.applying import APPLYING_ROUTES
from venturi.interfaces.api.v1.contracts import CONTRACT_ROUTES
from venturi.interfaces.api.v1.explaining import EXPLAINING_ROUTES
from venturi.interfaces.api.v1.labels import LABEL_ROUTES
from venturi.interfaces.api.v1.ledger.batches import POSTING_ROUTES
from venturi.interfaces.api.v1.ledger.held import HELD_ROUTES
from venturi.interfaces.api.v1.ledger.reading import LEDGER_READING_ROUTES
from venturi.interfaces.api.v1.plans import PLAN_ROUTES
from venturi.interfaces.api.v1.points import POINT_ROUTES
from venturi.interfaces.api.v1.revisions import REVISION_ROUTES
from venturi.interfaces.api.v1.statements import STATEMENT_ROUTES
from venturi.interfaces.api.v1.tokens import TOKEN_ROUTES
from venturi.interfaces.api.v1.usage.routes import USAGE_ROUTES


def v1_routes() -> list[ControllerRouterHandler]:
    """Give the routes of this folder, as one router.

    An application that registers handlers of one path one by one registers the first of them again with each of the others,
    and then awaits what runs in a thread once too little.
    """
    control = (POINT_ROUTES, LABEL_ROUTES, APPLYING_ROUTES, EXPLAINING_ROUTES, TOKEN_ROUTES, REVISION_ROUTES, PLAN_ROUTES)
    billing = (CONTRACT_ROUTES, STATEMENT_ROUTES)
    routes = (*control, ALARM_ROUTES, POSTING_ROUTES, HELD_ROUTES, LEDGER_READING_ROUTES, USAGE_ROUTES, *billing, OPENAPI_ROUTES)
    return [Router("/", route_handlers=with_options([handler for group in routes for handler in group]))]
