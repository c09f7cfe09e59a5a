"""All tables of the store, those of the control plane and those of the ledger, in one collection.

Owns what must not be forgotten when a database is made, emptied, backed up or restored.
"""

from venturi.adapters.store.schema.alarm_tables import AGENTS, ALARMS
from venturi.adapters.store.schema.contract_tables import CONTRACTS
from venturi.adapters.store.schema.ledger_tables import LEDGER_ROLLER, LEDGER_STATE
from venturi.adapters.store.schema.metadata import METADATA
from venturi.adapters.store.schema.session_tables import SESSIONS
from venturi.adapters.store.schema.statement_tables import STATEMENTS
from venturi.adapters.store.schema.tables import REVISION_COUNTER, TOLD_STATE

COUNTERS = (REVISION_COUNTER, TOLD_STATE, LEDGER_STATE, LEDGER_ROLLER)
"""Tables of one row that is there from the beginning."""

__all__ = ["AGENTS", "ALARMS", "CONTRACTS", "COUNTERS", "METADATA", "SESSIONS", "STATEMENTS"]
