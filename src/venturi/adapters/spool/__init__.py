"""The spool of an agent: last totals, and what was metered until the ledger has it, on stable storage."""
