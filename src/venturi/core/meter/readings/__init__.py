"""Metering by readings: from the cumulative counts of a driver to usage, exact to the octet.

Owns differences of readings, their attribution to labels and the time by which readings are bounded. Loads no compiler, unlike the rest of
``core.meter``: agents meter by it.
"""
