"""Agents, in memory and as processes, for tests."""
