"""Forms that a browser sends.

Owns their reading, and that none is taken that a page of another place made a browser send.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from venturi.core.domain.errors import ForbiddenError, InvalidRequestError
from venturi.interfaces.api.v1.wire import ApiRequest
from venturi.interfaces.web.places import session_key
from venturi.services.control.sessions import check_form_token

FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field
_MOST_FIELDS = 50


def read_form(body: bytes) -> dict[str, str]:
    """Read the fields of a form, each of which may be given once; raises ``InvalidRequestError``."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict", encoding="utf-8")
    except ValueError as error:
        message = "the body is no form that a browser sends"
        raise InvalidRequestError(message) from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        message = "a field of the form is given more than once"
        raise InvalidRequestError(message)
    return fields


def check_sender(request: ApiRequest, form: Mapping[str, str] | None = None) -> None:
    """Raise ``ForbiddenError`` for a form that another place sent: by its origin, or for lack of what the session's pages carry."""
    origin, host = request.headers.get("origin", ""), request.headers.get("host", "")
    if origin and origin.lower().partition("://")[2] != host.lower():
        message = "this form was sent by a page of another place"
        raise ForbiddenError(message)
    key = session_key(request.scope)
    if form is not None and key:
        check_form_token(key, form.get(FORM_TOKEN, ""))
