"""Drivers: counting by class pair in the kernel, behind one protocol."""
