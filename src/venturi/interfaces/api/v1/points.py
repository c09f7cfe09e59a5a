"""Routes of observation points."""

from litestar import Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import PointNotFoundError
from venturi.core.domain.point import PointKind, PointTraffic
from venturi.interfaces.api.openapi.declaring import Answer, RequestBody, declare, parameter_in_path
from venturi.interfaces.api.v1.forms.points import (
    NewPointForm,
    PointChangesForm,
    PointForm,
    PointList,
    new_point,
    point_changes,
    point_fields,
    read_new_point,
)
from venturi.interfaces.api.v1.forms.reading import cut_page, listing_parameters, read_listing
from venturi.interfaces.api.v1.forms.texts import FitText
from venturi.interfaces.api.v1.wire import ApiRequest, JsonBody, answer, identifier, query_of
from venturi.services.control.points import PointControl
from venturi.services.control.policy import OPERATION, Operation

FILTERS = {
    "id": FitText,
    "name": FitText,
    "project_id": FitText,
    "shared": bool,
    "kind": PointKind,
    "traffic": PointTraffic,
    "boundary": FitText,
}
_COLLECTION = "/v1/observation-points"
_POINT = "/v1/observation-points/{point_id:str}"
_NOUN = "Observation point"
_TAGS = ["observation points"]
_NEW_POINT = RequestBody(
    form=NewPointForm, example={"kind": "interface", "name": "uplink", "host": "edge-1", "device": "eth0", "shared": True}
)
_CHANGES = JsonBody(form=PointChangesForm, example={"name": "uplink 2", "traffic": "both"})
_POINT_ID = parameter_in_path("point_id", "The id of the observation point.")
_A_POINT = Answer(form=PointForm, meaning="The point in full.")


@get(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_POINTS},
    tags=_TAGS,
    operation_class=declare(PointList, *listing_parameters(FILTERS), refusals=(404,)),
)
def list_points(
    request: ApiRequest, caller: NamedDependency[Principal], points: NamedDependency[PointControl], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List observation points.

    Lists the points that the caller may see: all to an administrator, those of the project to others.
    """
    listing = read_listing(query_of(request), limits.page_resources, FILTERS)
    page, following = cut_page(points.list_points(caller, listing), listing, lambda point: point.id)
    return answer({"observation_points": [point_fields(point) for point in page], "next": following})


@post(
    _COLLECTION,
    sync_to_thread=True,
    opt={OPERATION: Operation.CREATE_POINT},
    tags=_TAGS,
    operation_class=declare(_A_POINT, request=_NEW_POINT, refusals=(409,)),
)
def create_point(body: RawBody, caller: NamedDependency[Principal], points: NamedDependency[PointControl]) -> Response[bytes]:
    """Make an observation point.

    Two points cannot be at one place. Without a project, the point is one of the caller's project.
    """
    point = points.create(caller, new_point(read_new_point(body)))
    return answer(point_fields(point), status=201)


@get(
    _POINT,
    sync_to_thread=True,
    opt={OPERATION: Operation.SHOW_POINT},
    tags=_TAGS,
    operation_class=declare(_A_POINT, _POINT_ID, refusals=(404,)),
)
def show_point(point_id: FromPath[str], caller: NamedDependency[Principal], points: NamedDependency[PointControl]) -> Response[bytes]:
    """Show an observation point.

    A point of another project does not exist to a caller who is no administrator.
    """
    return answer(point_fields(points.find(caller, identifier(point_id, PointNotFoundError, _NOUN))))


@patch(
    _POINT,
    sync_to_thread=True,
    opt={OPERATION: Operation.UPDATE_POINT},
    tags=_TAGS,
    operation_class=declare(_A_POINT, _POINT_ID, request=_CHANGES, refusals=(404, 409)),
)
def update_point(
    point_id: FromPath[str], body: RawBody, caller: NamedDependency[Principal], points: NamedDependency[PointControl]
) -> Response[bytes]:
    """Change an observation point.

    Changes the attributes given. The kind of a point stays, and so does its project.
    """
    changes = point_changes(_CHANGES.read(body))
    return answer(point_fields(points.update(caller, identifier(point_id, PointNotFoundError, _NOUN), changes)))


@delete(
    _POINT,
    sync_to_thread=True,
    opt={OPERATION: Operation.DELETE_POINT},
    tags=_TAGS,
    operation_class=declare(Answer(meaning="The point is gone."), _POINT_ID, refusals=(404,)),
)
def delete_point(point_id: FromPath[str], caller: NamedDependency[Principal], points: NamedDependency[PointControl]) -> None:
    """Remove an observation point.

    What was counted there stays.
    """
    points.delete(caller, identifier(point_id, PointNotFoundError, _NOUN))


POINT_ROUTES: list[ControllerRouterHandler] = [list_points, create_point, show_point, update_point, delete_point]
