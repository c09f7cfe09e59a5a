"""The ledger: what batches of usage say, how they are chained, and how entries become roll-ups.

Owns the arithmetic and the rules. Where entries are kept is for the store.
"""
