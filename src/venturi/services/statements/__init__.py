"""Statements: their closing and voiding, what makes a figure doubtful, and their checking against the ledger."""
