"""The ledger's use cases: posting batches and corrections, reading back, and proving that all is as it was posted."""
