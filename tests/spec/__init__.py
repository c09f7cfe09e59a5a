"""The semantics as one table of cases that every engine runs."""
