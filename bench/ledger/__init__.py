"""The ledger: batches posted to real databases, and the usage read back."""
