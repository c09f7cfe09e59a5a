"""The way of batches from the spool to the ledger."""
