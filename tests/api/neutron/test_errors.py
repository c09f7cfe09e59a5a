"""What the Networking API calls each error."""

import pytest

from venturi.core.domain import errors
from venturi.core.domain.errors import RefusedRequestError, VenturiError
from venturi.interfaces.api.neutron.errors import neutron_error

NAMES = [
    (errors.LabelNotFoundError("x"), 404, "MeteringLabelNotFound"),
    (errors.RuleNotFoundError("x"), 404, "MeteringLabelRuleNotFound"),
    (errors.NotFoundError("x"), 404, "HTTPNotFound"),
    (errors.PointNotFoundError("x"), 404, "HTTPNotFound"),
    (errors.RuleOverlapsError("x"), 409, "MeteringLabelRuleOverlaps"),
    (errors.ConflictError("x"), 409, "HTTPConflict"),
    (errors.ForbiddenError("x"), 403, "PolicyNotAuthorized"),
    (errors.PlainHttpError("x"), 403, "HTTPForbidden"),
    (errors.InvalidRuleError("x"), 400, "Invalid"),
    (errors.InvalidLabelError("x"), 400, "HTTPBadRequest"),
    (errors.InvalidRequestError("x"), 400, "HTTPBadRequest"),
    (RefusedRequestError("x", "MalformedRequestBody"), 400, "MalformedRequestBody"),
    (errors.RequestTooLargeError("x"), 413, "HTTPRequestEntityTooLarge"),
    (errors.RequestTimedOutError("x"), 408, "HTTPRequestTimeout"),
    (errors.UnauthenticatedError("x"), 401, "HTTPUnauthorized"),
    (errors.StoreError("x"), 503, "HTTPServiceUnavailable"),
    (errors.SchemaError("x"), 503, "HTTPServiceUnavailable"),
    (errors.ServeError("x"), 500, "HTTPInternalServerError"),
]


@pytest.mark.parametrize(
    ("error", "status", "kind"), NAMES, ids=lambda value: type(value).__name__ if isinstance(value, VenturiError) else ""
)
def test_name(error: VenturiError, status: int, kind: str) -> None:
    assert neutron_error(error) == (status, kind, "x")
