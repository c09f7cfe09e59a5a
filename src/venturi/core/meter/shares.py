"""Shares: how much of a count falls before a moment, as a whole number.

Owns the rounding of proportional splits. The share of an interval is the difference of the shares at its borders, so the
parts of a count sum to the whole whatever the borders are.
"""


def share_before(total: int, elapsed: int, duration: int) -> int:
    """Give the part of ``total`` that falls in the first ``elapsed`` of ``duration``, rounded down; the definition of right."""
    return total * elapsed // duration
