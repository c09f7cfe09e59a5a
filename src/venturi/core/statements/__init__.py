"""Statements: the document of what a contract came to in a period, and its checking without a ledger."""
