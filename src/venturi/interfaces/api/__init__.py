"""The HTTP API: wire forms, routes, and what frames every request."""
