"""Threads that do not end in silence, and the pauses after failures."""
