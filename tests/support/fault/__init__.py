"""Faults on purpose: processes that are killed, disks that fill, and what was sent meanwhile."""
