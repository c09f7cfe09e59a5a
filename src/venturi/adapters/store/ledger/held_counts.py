"""How many entries of each agent are held, remembered from posting to posting.

Owns the count alone, since it is asked for under the lock of the ledger, where nobody may wait for the sum of all that was ever held.
"""

from collections import Counter

from sqlalchemy import Connection, bindparam, func, select

from venturi.adapters.store.ledger.held import Decision
from venturi.adapters.store.schema.ledger_tables import LEDGER_HELD, LEDGER_POSTINGS

_POSTINGS = LEDGER_POSTINGS.c
_ENTRY = LEDGER_HELD.alias("entry")
_ORIGINAL = LEDGER_HELD.alias("original")
_WITHIN = _ENTRY.c.posting > bindparam("after"), _ENTRY.c.posting <= bindparam("last")
_SAME = _ORIGINAL.c.held_posting == _ENTRY.c.held_posting, _ORIGINAL.c.held_ordinal == _ENTRY.c.held_ordinal
_DECIDED_ENTRIES = select(_ORIGINAL.c.entries).where(*_SAME, _ORIGINAL.c.decision == Decision.HELD.value).scalar_subquery()
_BY_AGENT = _ENTRY.join(LEDGER_POSTINGS, _POSTINGS.posting == _ENTRY.c.held_posting)
_ADDED, _DECIDED = (
    select(_POSTINGS.agent_id, func.sum(counted)).select_from(_BY_AGENT).where(decision, *_WITHIN).group_by(_POSTINGS.agent_id)
    for counted, decision in (
        (_ENTRY.c.entries, _ENTRY.c.decision == Decision.HELD.value),
        (_DECIDED_ENTRIES, _ENTRY.c.decision != Decision.HELD.value),
    )
)
"""The entries that postings held, and those that they decided about, by agent."""

HIGHEST_POSTING = (1 << 63) - 1


class HeldCounts:
    """Counts entries that are held and not decided about, by agent, up to a posting that is committed; for one thread at a time."""

    def __init__(self) -> None:
        self._entries: Counter[str] = Counter()
        self._posting = 0
        self._seal = ""

    def learn(self, connection: Connection, posting: int) -> None:
        """Count on to ``posting``, which is committed; from the beginning if the database was put back since."""
        wanted = select(_POSTINGS.posting, _POSTINGS.seal).where(_POSTINGS.posting.in_({self._posting, posting}))
        seals = {row.posting: row.seal for row in connection.execute(wanted)}
        if seals.get(self._posting, "") != self._seal or posting < self._posting:
            self._entries.clear()
            self._posting = 0
        self._entries.update(_count(connection, self._posting, posting))
        self._posting, self._seal = posting, seals.get(posting, "")

    def count(self, connection: Connection, agent_id: str, committed: int) -> int:
        """Give how many there are of an agent; those of postings after ``committed`` may yet be undone, and are not remembered."""
        self.learn(connection, committed)
        return self._entries[agent_id] + _count(connection, committed)[agent_id]


def _count(connection: Connection, after: int, last: int = HIGHEST_POSTING) -> Counter[str]:
    """Give what the postings after one, up to the ``last``, have added to what is held of each agent, less what they decided.

    Rows are found by the numbers of these postings, whatever else there is.
    """
    entries: Counter[str] = Counter()
    for statement, sign in ((_ADDED, 1), (_DECIDED, -1)):
        for agent_id, count in connection.execute(statement, {"after": after, "last": last}):
            entries[agent_id] += sign * int(count)
    return entries
