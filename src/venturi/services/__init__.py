"""Use cases: what venturi does, step by step, out of the core and the adapters."""
