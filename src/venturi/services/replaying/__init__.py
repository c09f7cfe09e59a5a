"""Replay: the traffic of a capture passes a host that exists in memory, metered as an agent meters a real one."""
