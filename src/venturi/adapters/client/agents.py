"""A server as an agent tells it of itself.

Owns the request and what of the answer is believed. What a status says is for the agent.
"""

from urllib.parse import quote

import msgspec
from msgspec import Struct

from venturi.adapters.client.connection import Connection
from venturi.core.domain.agent_status import ReportedStatus, TimeText
from venturi.core.domain.errors import InvalidTimeError, ServerError
from venturi.core.domain.interval import parse_time

_LONGEST_ANSWER = 1 << 16
"""In octets."""


class _Received(Struct, frozen=True):
    received_at: TimeText


class StatusClient:
    """Tells the server behind a connection of one agent."""

    def __init__(self, connection: Connection, agent_id: str) -> None:
        self._connection = connection
        self._path = f"/v1/agents/{quote(agent_id, safe='')}"

    def put(self, status: ReportedStatus) -> int:
        """Send a status, and give the time by the server's clock at which it came, in nanoseconds since the epoch.

        Raises what ``Connection.ask`` does: ``NotFoundError`` or ``InvalidRequestError`` of a server that takes none.
        """
        answer = self._connection.ask("PUT", self._path, body=msgspec.to_builtins(status), longest=_LONGEST_ANSWER)
        try:
            return int(parse_time(msgspec.convert(answer, _Received).received_at))
        except (msgspec.ValidationError, InvalidTimeError) as error:
            message = f"PUT {self._path}: the answer does not say when the status came: {error}"
            raise ServerError(message) from error
