"""Routes of the ledger: batches, spools, postings and corrections."""
