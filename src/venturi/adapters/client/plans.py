"""The plans of a server, as an agent asks for them.

Owns the request: conditional, and a long poll. What a plan says is for the agent.
"""

from urllib.parse import quote

from venturi.adapters.client.connection import Connection
from venturi.core.domain.errors import ServerError

_LONGEST_PLAN = 64 << 20
"""In octets: room for 200,000 labels with a rule each; what is longer is no plan for one host, and would be held in memory whole."""


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
