"""The routes of the dashboard."""

from litestar.types import ControllerRouterHandler

from venturi.interfaces.api.methods import with_options
from venturi.interfaces.web.explore import EXPLORE_PAGES
from venturi.interfaces.web.labels import LABEL_PAGES
from venturi.interfaces.web.metering import METERING_PAGES
from venturi.interfaces.web.overview import OVERVIEW_ROUTES
from venturi.interfaces.web.searching import SEARCH_PAGES
from venturi.interfaces.web.signing import SIGNING_ROUTES


def web_routes() -> list[ControllerRouterHandler]:
    """Give all routes of the dashboard."""
    return with_options([*OVERVIEW_ROUTES, *EXPLORE_PAGES, *LABEL_PAGES, *METERING_PAGES, *SEARCH_PAGES, *SIGNING_ROUTES])
