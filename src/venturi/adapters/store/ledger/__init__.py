"""The ledger in the store: postings and their entries, roll-ups, spools, and what entries name."""
