"""The names that OpenStack Networking has for errors.

Owns status and type of each error under ``/v2.0``. The envelope belongs to the frame, the sentences to whoever raises.
"""

from venturi.core.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRuleError,
    LabelNotFoundError,
    NotFoundError,
    PlainHttpError,
    RefusedRequestError,
    RequestTimedOutError,
    RequestTooLargeError,
    RuleNotFoundError,
    RuleOverlapsError,
    StoreError,
    UnauthenticatedError,
    VenturiError,
)

BAD_REQUEST = "HTTPBadRequest"
"""The type of whatever is wrong with a request and has no type of its own."""

HIDDEN = "The resource could not be found."
"""What is said of a resource that the caller may not see, where OpenStack Networking does not name it."""

_SERVER_ERRORS = 500
_KINDS: dict[type[VenturiError], str] = {
    LabelNotFoundError: "MeteringLabelNotFound",
    RuleNotFoundError: "MeteringLabelRuleNotFound",
    NotFoundError: "HTTPNotFound",
    RuleOverlapsError: "MeteringLabelRuleOverlaps",
    ConflictError: "HTTPConflict",
    PlainHttpError: "HTTPForbidden",
    ForbiddenError: "PolicyNotAuthorized",
    InvalidRuleError: "Invalid",
    RequestTooLargeError: "HTTPRequestEntityTooLarge",
    RequestTimedOutError: "HTTPRequestTimeout",
    UnauthenticatedError: "HTTPUnauthorized",
    StoreError: "HTTPServiceUnavailable",
}


def neutron_error(error: VenturiError) -> tuple[int, str, str]:
    """Give status, type and message of the answer to a request that failed with ``error``."""
    if isinstance(error, RefusedRequestError):
        return error.status, error.kind, str(error)
    if (isinstance(error, LabelNotFoundError) and error.shared) or (isinstance(error, RuleNotFoundError) and error.sightless):
        return error.status, _KINDS[NotFoundError], HIDDEN
    otherwise = "HTTPInternalServerError" if error.status >= _SERVER_ERRORS else BAD_REQUEST
    kind = next((_KINDS[known] for known in type(error).__mro__ if known in _KINDS), otherwise)
    return error.status, kind, str(error)
