"""A server as an agent meets it: it asks for the plan of its host and tells of itself.

Owns the requests, the one for a plan conditional and a long poll, and what of the answers is believed. What a plan or a status says is
for the agent.
"""

from urllib.parse import quote

import msgspec
from msgspec import Struct

from venturi.adapters.client.connection import Connection
from venturi.core.domain.agent_status import ReportedStatus, TimeText
from venturi.core.domain.errors import InvalidTimeError, ServerError
from venturi.core.domain.interval import parse_time

_LONGEST_PLAN = 64 << 20
"""In octets: room for 200,000 labels with a rule each; what is longer is no plan for one host, and would be held in memory whole."""

_LONGEST_ANSWER = 1 << 16
"""In octets."""


class PlanClient:
    """Asks for the plan of one host in the name of one agent, which so takes or keeps the lease on it."""

    def __init__(self, connection: Connection, host: str, agent_id: str) -> None:
        self._connection = connection
        self._path = f"/v1/plans/{quote(host, safe='')}"
        self._agent_id = agent_id
        self.name = f"the plan of host '{host}'"

    def ask(self, known: str, wait: int) -> tuple[str, bytes] | None:
        """Give entity tag and document of the plan once it is not the one of tag ``known``; None if it is, after ``wait`` seconds.

        Raises what ``Connection.ask`` does, ``ConflictError`` while another agent has the lease, and ``ServerError`` for an answer without
        a tag, which would be given again at once and without end.
        """
        answer = self._connection.fetch(self._path, (("agent_id", self._agent_id), ("wait", str(wait))), known, _LONGEST_PLAN)
        if answer is not None and not answer[0]:
            message = f"the answer with {self.name} has no ETag: something between here and the server takes it away"
            raise ServerError(message)
        return answer


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
