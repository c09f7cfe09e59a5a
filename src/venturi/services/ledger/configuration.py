"""What the ledger can be told.

Owns the settings. What they mean for a batch is for whoever posts it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LedgerConfig:
    """``plan_file_hosts`` are the hosts whose agents may meter by plan files: they are believed whatever they post."""

    plan_file_hosts: tuple[str, ...] = ()
