"""Reports: what was used, by whom and where, and how much of the truth that is."""
