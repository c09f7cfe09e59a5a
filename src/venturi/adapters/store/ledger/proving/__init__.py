"""Proving that the ledger is what was posted: seals, chains and roll-ups, recomputed from the entries."""
