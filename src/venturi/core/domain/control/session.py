"""Sessions: who is signed in at a browser, and until when."""

from dataclasses import dataclass

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.interval import Nanoseconds


@dataclass(frozen=True, kw_only=True)
class Session:
    """A browser that is signed in as ``principal``; times are nanoseconds since the UTC epoch.

    A session by one of the server's own tokens (``principal.token_id``) opens no more than that token does at the moment.
    """

    principal: Principal
    created_at: Nanoseconds
    expires_at: Nanoseconds
