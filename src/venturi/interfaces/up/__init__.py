"""Server, ledger and what meters in one process: what ``venturi up`` and ``venturi demo`` run."""
