"""Routes of observation points."""

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import PointNotFoundError
from venturi.interfaces.api.v1.forms.points import PointChangesForm, new_point, point_changes, point_fields, read_new_point
from venturi.interfaces.api.v1.forms.reading import cut_page, read_body, read_listing
from venturi.interfaces.api.v1.wire import ApiRequest, answer, identifier, query_of
from venturi.services.control.points import PointControl
from venturi.services.control.policy import OPERATION, Operation

FILTERS = ("id", "name", "project_id", "shared", "kind", "traffic", "boundary")
_COLLECTION = "/v1/observation-points"
_POINT = "/v1/observation-points/{point_id:str}"
_NOUN = "Observation point"


@get(_COLLECTION, sync_to_thread=True, opt={OPERATION: Operation.LIST_POINTS})
def list_points(
    request: ApiRequest, caller: NamedDependency[Principal], points: NamedDependency[PointControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List observation points."""
    listing = read_listing(query_of(request), limits.page_resources, FILTERS, booleans=["shared"])
    page, following = cut_page(points.list_points(caller, listing), listing, lambda point: point.id)
    return answer({"observation_points": [point_fields(point) for point in page], "next": following})


@post(_COLLECTION, sync_to_thread=True, opt={OPERATION: Operation.CREATE_POINT})
def create_point(body: bytes, caller: NamedDependency[Principal], points: NamedDependency[PointControl]) -> Response[bytes]:
    """Make an observation point."""
    point = points.create(caller, new_point(read_new_point(body)))
    return answer(point_fields(point), status=201)


@get(_POINT, sync_to_thread=True, opt={OPERATION: Operation.SHOW_POINT})
def show_point(point_id: FromPath[str], caller: NamedDependency[Principal], points: NamedDependency[PointControl]) -> Response[bytes]:
    """Give an observation point."""
    return answer(point_fields(points.find(caller, identifier(point_id, PointNotFoundError, _NOUN))))


@patch(_POINT, sync_to_thread=True, opt={OPERATION: Operation.UPDATE_POINT})
def update_point(
    point_id: FromPath[str], body: bytes, caller: NamedDependency[Principal], points: NamedDependency[PointControl]
) -> Response[bytes]:
    """Change an observation point."""
    changes = point_changes(read_body(body, PointChangesForm))
    return answer(point_fields(points.update(caller, identifier(point_id, PointNotFoundError, _NOUN), changes)))


@delete(_POINT, sync_to_thread=True, opt={OPERATION: Operation.DELETE_POINT})
def delete_point(point_id: FromPath[str], caller: NamedDependency[Principal], points: NamedDependency[PointControl]) -> None:
    """Remove an observation point."""
    points.delete(caller, identifier(point_id, PointNotFoundError, _NOUN))


POINT_ROUTES: list[ControllerRouterHandler] = [list_points, create_point, show_point, update_point, delete_point]
