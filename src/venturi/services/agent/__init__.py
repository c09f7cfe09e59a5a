"""The agent: meters a host by its plan, and keeps what it metered in its spool."""
