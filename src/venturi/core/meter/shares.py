"""Shares: how much of a flow falls before a moment, as a whole number.

Owns the rounding of proportional splits. The share of an interval is the difference of the shares at its borders, so the
parts of a flow sum to the whole whatever the borders are.
"""

import numpy as np

from venturi.core.kernel import step


def share_before(total: int, elapsed: int, duration: int) -> int:
    """Give the part of ``total`` that falls in the first ``elapsed`` of ``duration``, rounded down; the definition of right."""
    return total * elapsed // duration


@step
def compiled_share_before(total: np.int64, elapsed: np.int64, duration: np.int64) -> np.int64:
    """Equal ``share_before`` for 0 <= elapsed <= duration, 0 < duration and 0 <= total <= 2^62, in compiled code."""
    if elapsed == 0:
        return np.int64(0)
    if total <= 0x7FFF_FFFF_FFFF_FFFF // elapsed:
        return total * elapsed // duration
    return _divide_wide(np.uint64(total), np.uint64(elapsed), np.uint64(duration))


@step
def _divide_wide(total: np.uint64, elapsed: np.uint64, duration: np.uint64) -> np.int64:
    """Multiply into 128 bits and divide bit by bit; the quotient is at most ``total``, so its high word stays below ``duration``."""
    mask = np.uint64(0xFFFF_FFFF)
    half = np.uint64(32)
    low_product = (total & mask) * (elapsed & mask)
    cross = (total >> half) * (elapsed & mask) + (low_product >> half)
    cross_low = (cross & mask) + (total & mask) * (elapsed >> half)
    high = (total >> half) * (elapsed >> half) + (cross >> half) + (cross_low >> half)
    low = (cross_low << half) | (low_product & mask)
    quotient = np.uint64(0)
    for _ in range(64):
        high = (high << np.uint64(1)) | (low >> np.uint64(63))
        low <<= np.uint64(1)
        quotient <<= np.uint64(1)
        if high >= duration:
            high -= duration
            quotient |= np.uint64(1)
    return np.int64(quotient)
